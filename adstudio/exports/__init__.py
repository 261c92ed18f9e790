"""Results for the eye, outside the application."""
