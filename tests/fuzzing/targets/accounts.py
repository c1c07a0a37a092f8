"""Files of accounts."""

from pathlib import Path
from random import Random

from orderbook_tui.config import read_accounts
from orderbook_tui.errors import ConfigError
from tests.fuzzing.configs import EXAMPLES, MARKS
from tests.fuzzing.mutating import TEXTS, bent, interesting, mutated, written
from tests.fuzzing.targets.base import Target, check_words


def read_any_accounts(content: bytes, folder: Path) -> None:
    """A file of any bytes lists accounts, of whom no two go by one name, or says why it does not."""
    path = folder / "accounts.json"
    path.write_bytes(content)
    try:
        accounts = read_accounts(path)
    except ConfigError as error:
        check_words(error)
        return
    owners: dict[str, str] = {}
    for account in accounts:
        assert account.id
        assert account.name
        for called in (account.id, account.name):
            assert owners.setdefault(called, account.id) == account.id


def _accounts(random: Random) -> bytes:
    names = ["alice", "bob", *TEXTS]
    entries: list[object] = [
        random.choice([random.choice(names), {"id": random.choice(names)}, {"id": f"{n}", "name": random.choice(names)}])
        for n in range(random.choice([0, 1, 3, 10]))
    ]
    tree: object = entries if random.random() < 0.5 else {"accounts": entries}
    if random.random() < 0.1:
        tree = interesting(random)
    for _ in range(random.choice([0, 1, 2])):
        tree = bent(random, tree, ("accounts", "id", "name"))
    content = written(tree).encode("utf-8", "surrogatepass")
    if random.random() < 0.2:
        content = (EXAMPLES / "accounts.json").read_bytes()
    return content if random.random() < 0.5 else mutated(random, content, (content,), MARKS)


ACCOUNTS = Target("accounts", _accounts, read_any_accounts, 2)
