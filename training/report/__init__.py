"""Report: the evidence on one page, drawn; people should rather look at it than read it."""
