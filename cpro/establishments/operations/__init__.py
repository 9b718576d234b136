"""What changes a school: its particulars, its transfers switch, its pictures, its existence."""
