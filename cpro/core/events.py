"""Facts announced inside the transaction, to which rooms above react without being known below.

Listeners run in the same transaction: if one raises, the gesture is undone. A listener receives the announced
values as keyword arguments.
"""

from __future__ import annotations

from blinker import Namespace

_facts = Namespace()

#: A school switched its transfers on or off: `establishment`, `enabled`, `by`, `now`.
transfers_switched = _facts.signal("transfers-switched")
