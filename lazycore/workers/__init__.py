"""The processes behind the pages: workers, their children, and what tells that they live."""
