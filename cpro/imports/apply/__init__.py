"""Apply and undo imports, object by object, in one short transaction each way."""
