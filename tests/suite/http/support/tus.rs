//! Resumable uploads in the protocol tus.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use lectern_domain::JobId;
use lectern_tests::{Client, RequestBuilder, Response};

/// Where uploads are created.
pub(crate) const TUS: &str = "/api/v1/uploads/tus";

/// `Upload-Metadata` of a recording named `Lecture 7.mp4`.
pub(crate) const METADATA: &str = "filename TGVjdHVyZSA3Lm1wNA==";

/// A resumable upload.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) path: String,
}

impl Upload {
    /// The upload that a response has created.
    pub(crate) fn of(created: &Response) -> Self {
        let path = created.header("Location").unwrap().to_owned();
        let id = path.rsplit('/').next().unwrap().to_owned();
        Self { id, path }
    }

    pub(crate) fn job_id(&self) -> JobId {
        self.id.parse().unwrap()
    }

    /// A request with the version of the protocol.
    pub(crate) fn request<'c>(&self, server: &'c Client, method: &str) -> RequestBuilder<'c> {
        server
            .request(method, &self.path)
            .header("Tus-Resumable", "1.0.0")
    }

    /// A PATCH without its body.
    pub(crate) fn patch_at<'c>(&self, server: &'c Client, offset: usize) -> RequestBuilder<'c> {
        self.request(server, "PATCH")
            .header("Upload-Offset", &offset.to_string())
    }

    /// Appends bytes at an offset.
    pub(crate) fn append(&self, server: &Client, offset: usize, bytes: &[u8]) -> Response {
        self.patch_at(server, offset)
            .body("application/offset+octet-stream", bytes)
            .send()
    }

    pub(crate) fn head(&self, server: &Client) -> Response {
        self.request(server, "HEAD").send()
    }

    /// The offset at which the upload continues.
    pub(crate) fn offset(&self, server: &Client) -> usize {
        let head = self.head(server).expect(200);
        head.header("Upload-Offset").unwrap().parse().unwrap()
    }
}

/// A POST that creates an upload, without its body.
pub(crate) fn creation(server: &Client, size: usize) -> RequestBuilder<'_> {
    server
        .request("POST", TUS)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", &size.to_string())
        .header("Upload-Metadata", METADATA)
}

/// Creates an upload of `size` bytes.
pub(crate) fn create(server: &Client, size: usize) -> Upload {
    Upload::of(&creation(server, size).send().expect(201))
}

/// A PATCH of which only the beginning is sent.
pub(crate) struct PartialAppend(TcpStream);

impl PartialAppend {
    /// Sends the head of a PATCH at `offset` with a body of `size` bytes, and `first` of it.
    pub(crate) fn begin(
        server: &Client,
        upload: &Upload,
        offset: usize,
        size: usize,
        first: &[u8],
    ) -> Self {
        let address = server.base().strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).unwrap();
        let path = &upload.path;
        let head = format!(
            "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Tus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n\
             Content-Type: application/offset+octet-stream\r\nContent-Length: {size}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(first).unwrap();
        Self(socket)
    }

    /// Reads the response.
    pub(crate) fn response(mut self) -> String {
        let mut response = Vec::new();
        // The connection is reset if the server has not read the whole body.
        let _ = self.0.read_to_end(&mut response);
        String::from_utf8(response).unwrap()
    }

    /// Sends the rest; returns the response.
    pub(crate) fn finish(mut self, rest: &[u8]) -> String {
        let _ = self.0.write_all(rest);
        self.response()
    }
}
