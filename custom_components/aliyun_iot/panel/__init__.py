"""The panel: a page for administrators that shows both sides of every binding, and what is happening now."""
