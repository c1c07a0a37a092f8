"""Two repairs of the library's sessions: gaps on both sides at once, and silence about everything else.

When a connection breaks, each side may have lost what the other sent. Both then ask for it, and either request stands behind
the very gap that it is about: who answers in order only waits for ever. So a ResendRequest is answered when it comes.
"""

from fixcore.log.base import Log, LogFactory
from fixcore.message.message import Message
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.session.state import MSG_HEARTBEAT, MSG_RESEND_REQUEST, TAG_MSG_SEQ_NUM, TAG_MSG_TYPE
from fixcore.transport.acceptor import SocketAcceptor


class Acceptor(SocketAcceptor):
    """The library's acceptor, with sessions of ours."""

    def _make_session(self, sid: SessionID) -> Session:
        store, log = self._store_factory.create(sid), self._log_factory.create(sid)
        return AnsweringSession(sid, self._settings, self._app, store, log)


class AnsweringSession(Session):
    """A session that answers a ResendRequest also while it waits for what the other side is to send again."""

    async def _handle_sequenced(self, msg: Message) -> None:
        number = msg.header.get_or(TAG_MSG_SEQ_NUM)
        is_ahead = number.isdigit() and int(number) > self._store.next_target_msg_seq_num()
        if is_ahead and msg.msg_type == MSG_RESEND_REQUEST and self.is_logged_on:
            await self._on_resend_request(msg)
            if self._resend_pending:
                # What has just filled their gap stood for our own request too: they will never answer that one.
                expected = self._store.next_target_msg_seq_num()
                await self._send_resend_request(expected, self._resend_upper_bound())
            msg.header.set(TAG_MSG_TYPE, MSG_HEARTBEAT)  # what is left to do is to count it
        await super()._handle_sequenced(msg)


class Silent(Log, LogFactory):
    """What the library would log goes nowhere: the terminal is not its own."""

    def create(self, session_id: SessionID) -> Log:
        return self

    def on_incoming(self, message: str) -> None: ...

    def on_outgoing(self, message: str) -> None: ...

    def on_event(self, text: str) -> None: ...
