"""Results filled in from other scenarios and from the more accurate model, as a step that can be taken back."""
