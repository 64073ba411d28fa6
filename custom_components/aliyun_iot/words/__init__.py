"""What people read: labels, previews and the texts of thing models and imports."""
