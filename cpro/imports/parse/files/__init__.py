"""From what was sent to files that can be read: unpacked without trusting a name, recognised without trusting one."""
