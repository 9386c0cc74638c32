// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A connection of a client that we can watch and close ourselves.
package struct Connection {
    private let descriptor: Int32

    package init(port: Int) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    package func close() { Glibc.close(self.descriptor) }

    /// Says that no more is sent; what is answered can still be read.
    package func endSending() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    /// Sends a form.
    package func post(_ path: String) {
        let form = "query=1"
        self.send(
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                + "Content-Length: \(form.utf8.count)\r\n\r\n\(form)"
        )
    }

    /// Sends what may be no request, or a part of one.
    package func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(self.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Waits for the beginning of an answer, and leaves it where it is.
    package func untilAnswered() async throws {
        var first: UInt8 = 0
        while recv(self.descriptor, &first, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) < 0,
            errno == EAGAIN || errno == EINTR
        {
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// What comes until `end`, or until the other side closes.
    package func answer(endingWith end: String) async throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: bytes, as: UTF8.self).hasSuffix(end) {
            let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                break
            } else {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
