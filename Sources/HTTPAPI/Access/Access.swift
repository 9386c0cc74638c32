// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
import Foundation
package import Hummingbird
import Logging
import NIOCore

/// What a route needs.
enum Permission: String, Sendable {
    case read
    case acknowledge
    case register
    case write
    /// Enters readings by hand.
    case enter
    case administer
}

extension TokenRole {
    func permits(_ permission: Permission) -> Bool {
        switch (self, permission) {
        case (.admin, _), (_, .read): true
        case (.duty, .acknowledge), (.duty, .enter), (.deviceAdmin, .register), (.writer, .write), (.writer, .enter):
            true
        case (.viewer, _), (.duty, _), (.deviceAdmin, _), (.writer, _): false
        }
    }
}

/// Who is asking.
package struct Access: Sendable {
    package let role: TokenRole
    /// Everything that is read is limited to this org; nil sees all.
    package let org: String?
    /// The token's id and label, `socket` for the local socket, `anonymous` for an open read.
    package let name: String

    package init(role: TokenRole, org: String?, name: String) {
        self.role = role
        self.org = org
        self.name = name
    }
}

/// How a request came in; the socket's file mode is its key.
package enum Origin: Sendable {
    case socket
    /// - Parameter isLoopback: Whether the listening address can be reached from this machine only.
    case network(isLoopback: Bool)
}

/// A request's context: who is asking.
package struct APIRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Set by ``AccessMiddleware`` before any route runs; until then nobody may do anything.
    package var access = Access(role: .viewer, org: "", name: "nobody")
    /// The connection.
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        self.channel = source.channel
        self.coreContext = CoreRequestContextStorage(source: source)
    }

    /// What a path has in the place of `:name`; clients may write any character of it as `%` and digits.
    func pathPart(_ name: String) throws -> String {
        let part = try self.parameters.require(name)
        return part.removingPercentEncoding ?? part
    }

    /// - Throws: ``APIProblem`` 403 when the role of the one who asks does not permit it.
    func require(_ permission: Permission) throws {
        guard self.access.role.permits(permission) else {
            throw APIProblem(
                .forbidden,
                "the role '\(self.access.role.rawValue)' may not \(permission.rawValue); ask an admin for a token",
                zh: "角色“\(self.access.role.rawValue)”无此权限（\(permission.rawValue)）；请向管理员申请令牌"
            )
        }
    }

    /// - Throws: ``APIProblem`` 404 for things of another org, as if they were not there.
    func requireOrg(_ org: String, of thing: String) throws {
        if let own = self.access.org, own != org { throw APIProblem(.notFound, "there is no \(thing)") }
    }
}
