"""One file for each revision; a revision that was released is never edited."""
