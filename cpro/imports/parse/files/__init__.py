"""From uploads to readable files: unpacked and recognised without trusting any file name."""
