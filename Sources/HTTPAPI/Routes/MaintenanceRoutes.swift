// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Verification and backup: long work, answered as ``WorkLines``.
struct MaintenanceRoutes: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.get("/api/verify") { _, context in
            try context.require(.administer)
            return WorkLines.response { try await self.backend.verify(progress: $0) }
        }
        router.post("/api/backup", use: self.backup)
    }

    private struct Wanted: Decodable {
        let file: String
        let force: Bool?
    }

    @Sendable private func backup(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        let wanted = try await JSONBody.decode(Wanted.self, from: request)
        guard wanted.file.hasPrefix("/") else {
            throw APIProblem(.badRequest, "'file' should be an absolute path on the service's machine")
        }
        return WorkLines.response {
            try await self.backend.backup(to: wanted.file, replacing: wanted.force ?? false, progress: $0)
        }
    }
}
