"""Operations on a school: its particulars, its transfers switch, its pictures, its creation."""
