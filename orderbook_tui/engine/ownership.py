"""Whose a file is: whether anybody but whoever runs this, and the administrator, could have written it."""

import grp
import os
import pwd
import stat


def stranger(about: os.stat_result) -> str:
    """Return who else owns or may change a file or folder, in words; empty where nobody does.

    Of a folder with the sticky bit, such as /tmp, everybody may only add to it.
    """
    if about.st_uid not in (os.geteuid(), 0):
        return f"it belongs to {user_name(about.st_uid)}"
    if stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX:
        return ""
    return writer_besides(about)


def writer_besides(about: os.stat_result) -> str:
    """Return who besides its owner may write to a file, or add to a folder; empty where nobody may."""
    if about.st_mode & stat.S_IWOTH:
        return "everybody on this machine may write to it"
    if about.st_mode & stat.S_IWGRP and not _is_of_one(about.st_gid):
        return f"the group {_group_name(about.st_gid)} may write to it"
    return ""


def user_name(uid: int) -> str:
    """Return what a user is called."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return f"user {uid}"


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OSError):
        return str(gid)


def _is_of_one(gid: int) -> bool:
    """Whether a group is the administrator's, or one that many systems make for each user, with nobody else in it."""
    if gid == 0:
        return True
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except (KeyError, OSError):
        return False
    return group.gr_gid == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
