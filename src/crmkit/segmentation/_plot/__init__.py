"""Pictures of segments and customer profit."""
