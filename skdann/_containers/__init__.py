"""What users keep rows and labels in: frames, arrays, sparse matrices, lists."""
