// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Hummingbird

/// The accounts of devices, gateways and network servers at the broker: make, rotate, revoke.
struct CredentialRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/credentials") { _, context in
            try context.require(.register)
            return try JSONBody.response(try self.backend.credentials(org: context.access.org))
        }
        router.post("/api/credentials") { request, context in
            try context.require(.register)
            let wanted = try await JSONBody.decode(Wanted.self, from: request)
            let made =
                if let user = wanted.user {
                    [
                        try await self.backend.makeAccount(
                            user,
                            try wanted.accountRole(),
                            by: wanted.by ?? "",
                            access: context.access
                        )
                    ]
                } else {
                    try await self.backend.makeCredentials(
                        for: wanted.devices,
                        by: wanted.by ?? "",
                        access: context.access
                    )
                }
            return try JSONBody.response(made, status: .created)
        }
        router.delete("/api/devices/:id/credentials") { request, context in
            try context.require(.register)
            let revoked = try await self.backend.revokeCredentials(
                of: try context.pathPart("id"),
                by: RequestParameters(query: request)["by"] ?? "",
                access: context.access
            )
            return try JSONBody.response(revoked)
        }
    }

    private struct Wanted: Decodable {
        /// Absent for all devices that have none.
        let devices: [String]?
        /// The name of a gateway's or a network server's account, with its `role`; `devices` is absent then.
        let user: String?
        let role: String?
        let by: String?

        func accountRole() throws -> AccountRole {
            guard self.devices == nil, let role = self.role.flatMap({ AccountRole(rawValue: $0) }), role != .device
            else {
                throw APIProblem.badInput(
                    "user: give role gateway or network_server with it, and no devices",
                    zh: "user：须同时给出 role（gateway 或 network_server），且不带 devices"
                )
            }
            return role
        }
    }
}
