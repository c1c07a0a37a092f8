"""Keys in the order in which they were pressed, also where several come in at once.

A letter goes into an input as soon as the input sees it; what a key is bound to is looked up only when the key has bubbled
up to the app. So a letter would overtake the key before it, and one that follows the key that opens a field would miss it.
"""

from textual import events
from textual.widget import Widget
from textual.widgets import Input


async def act_now(widget: Widget, event: events.Key) -> None:
    """Do what a key is bound to on a widget, before the next key is looked at."""
    bindings = widget._bindings
    if widget.app._keymap:
        bindings = bindings.copy()
        bindings.apply_keymap(widget.app._keymap)
    for binding in bindings.key_to_bindings.get(event.key, ()):
        if not binding.priority and await widget.app.run_action(binding.action, widget):
            event.stop()
            event.prevent_default()
            return


def pass_on(widget: Widget, event: events.Key) -> None:
    """Give a letter that has come to a widget to the input that has got the focus since it was pressed."""
    focused = widget.screen.focused
    if event.is_printable and focused is not widget and isinstance(focused, Input):
        event.stop()
        event.prevent_default()
        focused._forward_event(events.Key(event.key, event.character))
