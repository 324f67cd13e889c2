"""Uploads a file with tuspy: python upload.py ENDPOINT FILE. Prints the URL of the upload."""

import sys
from pathlib import Path

from tusclient.client import TusClient

endpoint, file = sys.argv[1:]
uploader = TusClient(endpoint).uploader(
    file,
    # Each part has a checksum, and is discarded if the connection breaks.
    chunk_size=1 << 20,
    upload_checksum=True,
    retries=40,
    retry_delay=1,
    metadata={"filename": Path(file).name, "filetype": "video/mp4"},
)
uploader.upload()
print(uploader.url)
