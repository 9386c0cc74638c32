// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// The devices' accounts at the broker: make, rotate, revoke.
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
            let made = try await self.backend.makeCredentials(
                for: wanted.devices,
                by: wanted.by ?? "",
                access: context.access
            )
            return try JSONBody.response(made, status: .created)
        }
        router.delete("/api/devices/:id/credentials") { request, context in
            try context.require(.register)
            let revoked = try await self.backend.revokeCredentials(
                of: try context.parameters.require("id"),
                by: RequestParameters(query: request)["by"] ?? "",
                access: context.access
            )
            return try JSONBody.response(revoked)
        }
    }

    private struct Wanted: Decodable {
        /// Absent for all devices that have none.
        let devices: [String]?
        let by: String?
    }
}
