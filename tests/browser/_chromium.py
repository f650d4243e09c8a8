"""Chromium without a window, spoken to over two pipes in its own protocol: no driver is needed."""

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import subprocess
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_WIDEST = 30.0


class Browser:
    """One page in one browser; what it says to the console is kept in ``console``."""

    def __init__(self, folder):
        ours, theirs = os.pipe(), os.pipe()
        # Above the two numbers at which the browser looks for its pipes.
        read, write = (fcntl.fcntl(fd, fcntl.F_DUPFD, 30) for fd in (ours[0], theirs[1]))

        def place():
            os.dup2(read, 3)
            os.dup2(write, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             f"--user-data-dir={folder / 'user'}", "about:blank"],
            preexec_fn=place,  # noqa: PLW1509 - nothing here runs in threads
            close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for fd in (*ours[:1], *theirs[1:], read, write):
            os.close(fd)
        self._to, self._from = os.fdopen(ours[1], "wb"), os.fdopen(theirs[0], "rb")
        self._numbers, self._buffer = itertools.count(1), b""
        self._session, self.console, self._events = None, [], []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        found = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def close(self):
        with contextlib.suppress(OSError):
            self._to.close()
            self._from.close()
        self._process.terminate()
        self._process.wait(30)

    def _next(self):
        while b"\0" not in self._buffer:
            piece = self._from.raw.read(1 << 20)
            assert piece, "the browser ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        told = json.loads(message)
        if told.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled",
                                  "Runtime.exceptionThrown"):  # fmt: skip
            self.console.append(told["params"])
        self._events.append(told.get("method"))
        return told

    def ask(self, method, **params):
        number = next(self._numbers)
        said = {"id": number, "method": method, "params": params}
        if self._session:
            said["sessionId"] = self._session
        self._to.write(json.dumps(said).encode() + b"\0")
        self._to.flush()
        end = time.monotonic() + _WIDEST
        while time.monotonic() < end:
            told = self._next()
            if told.get("id") == number:
                assert "error" not in told, told
                return told["result"]
        raise TimeoutError(method)

    def show(self, address, width, *, height=844, dark=False, media="screen"):
        """Open a page at a width, as a phone or a desktop would."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self._events.clear()
        self.ask("Page.navigate", url=address)
        while "Page.loadEventFired" not in self._events:
            self._next()

    def run(self, script):
        """Return what a script says in the page, whatever the page itself allows."""
        found = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key):
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                     windowsVirtualKeyCode=code, **(text if kind == "keyDown" else {}))  # fmt: skip
