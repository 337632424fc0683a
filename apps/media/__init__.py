"""Pictures over HTTP: upload and download. Every app uses them."""
