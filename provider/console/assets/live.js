// Fetches the live parts of a page again and again.
