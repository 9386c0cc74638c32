// poyang
// SPDX-License-Identifier: Apache-2.0

/// Where a broker listens: `mqtt://HOST[:PORT]` (1883) or `mqtts://HOST[:PORT]` (8883, TLS).
package struct BrokerAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: UInt16
    package var isSecure: Bool

    package init(host: String, port: UInt16, isSecure: Bool = false) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
    }

    /// Reads a URL; user and password do not belong into it and are refused.
    package init(_ url: String) throws {
        let isSecure = url.hasPrefix("mqtts://")
        guard isSecure || url.hasPrefix("mqtt://") else {
            throw MQTTError(
                .wrongAddress,
                "\"\(url)\" is not a broker's address; write mqtt://HOST:PORT or mqtts://HOST:PORT"
            )
        }
        var rest = url.dropFirst(isSecure ? 8 : 7)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains("@") else {
            throw MQTTError(
                .wrongAddress,
                "leave user and password out of the broker's address; they are options of their own"
            )
        }
        let host: Substring
        var port: UInt16 = isSecure ? 8883 : 1883
        let end =
            rest.hasPrefix("[") ? rest.firstIndex(of: "]").map { rest.index(after: $0) } : rest.firstIndex(of: ":")
        if let end, end < rest.endIndex {
            host = rest[..<end]
            guard rest[end] == ":", let number = UInt16(rest[rest.index(after: end)...]), number > 0 else {
                throw MQTTError(.wrongAddress, "\"\(url)\" has no valid port; 1…65535")
            }
            port = number
        } else {
            host = rest
        }
        let bare = host.hasPrefix("[") ? host.dropFirst().dropLast() : host
        guard !bare.isEmpty, !bare.contains("/"), !bare.contains(" ") else {
            throw MQTTError(.wrongAddress, "\"\(url)\" names no host; write mqtt://HOST:PORT")
        }
        self.init(host: String(bare), port: port, isSecure: isSecure)
    }

    package var description: String {
        let shown = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(self.isSecure ? "mqtts" : "mqtt")://\(shown):\(self.port)"
    }
}

/// Who we are to the broker.
package struct MQTTCredentials: Sendable {
    package var user: String
    package var password: String
    /// A PEM file of the authorities that sign the broker's certificate; nil: those of the system.
    package var authorityFile: String?

    package init(user: String = "", password: String = "", authorityFile: String? = nil) {
        self.user = user
        self.password = password
        self.authorityFile = authorityFile
    }
}
