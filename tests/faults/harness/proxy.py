"""A TCP proxy that forgets connections as a firewall does: without a word to either end."""

from __future__ import annotations

import selectors
import socket
import threading

CHUNK = 65536


class Proxy:
    """Forwards connections on `port` to another port of this machine, in one thread."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.peers: dict[socket.socket, socket.socket] = {}
        # Open, and never read again.
        self.forgotten: list[socket.socket] = []
        self.lock = threading.Lock()
        self.ended = False
        self.thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.thread.start()

    def forget(self) -> int:
        """From now on nothing passes on the present connections; new ones work. Returns their
        number."""
        with self.lock:
            count = len(self.peers) // 2
            for one in list(self.peers):
                self.selector.unregister(one)
                self.forgotten.append(one)
            self.peers.clear()
        return count

    def close(self) -> None:
        self.ended = True
        self.thread.join()
        for one in (self.listener, *self.peers, *self.forgotten):
            one.close()

    def _run(self) -> None:
        while not self.ended:
            for key, _ in self.selector.select(0.05):
                with self.lock:
                    if key.fileobj is self.listener:
                        self._accept()
                    elif key.fileobj in self.peers:
                        self._forward(key.fileobj)

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5.0)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for one, other in ((client, server), (server, client)):
            self.peers[one] = other
            self.selector.register(one, selectors.EVENT_READ)

    def _forward(self, source: socket.socket) -> None:
        target = self.peers[source]
        try:
            data = source.recv(CHUNK)
            if data:
                target.sendall(data)
                return
        except OSError:
            pass
        for one in (source, target):
            self.selector.unregister(one)
            del self.peers[one]
            one.close()
