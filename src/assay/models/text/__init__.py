"""Text as BERT sees it: word pieces, questions about paragraphs, windows of tokens."""
