// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HTTPAPI

/// Who is let in, by where the request comes from and what it brings.
struct AccessMiddlewareTests {
    /// Who the middleware says is asking; nil when it lets nobody in.
    private func ask(
        _ origin: Origin,
        hasTokens: Bool = false,
        method: HTTPRequest.Method = .get,
        path: String = "/api/status",
        authorization: String? = nil
    ) async throws -> String? {
        let router = Router(context: APIRequestContext.self)
        router.add(middleware: ProblemMiddleware())
        router.add(
            middleware: AccessMiddleware(
                origin: origin,
                authenticate: { $0 == "right" ? Access(role: .duty, org: "a", name: "token") : nil },
                anyTokenExists: { hasTokens }
            )
        )
        for pattern: RouterPath in ["/", "**"] {
            router.on(pattern, method: method) { _, context in
                "\(context.access.name) \(context.access.role.rawValue) \(context.access.org ?? "*")"
            }
        }
        return try await Application(router: router)
            .test(.router) { client in
                let headers: HTTPFields = authorization.map { [.authorization: $0] } ?? [:]
                return try await client.execute(uri: path, method: method, headers: headers) { response in
                    response.status == .ok ? String(buffer: response.body) : nil
                }
            }
    }

    private static let loopback = Origin.network(isLoopback: true)
    private static let open = Origin.network(isLoopback: false)

    @Test
    func theSocketIsTheAdmin() async throws {
        #expect(try await self.ask(.socket, hasTokens: true, method: .post) == "socket admin *")
    }

    @Test
    func readsAreOpenOnLoopbackOnlyAndOnlyWhileNoTokenExists() async throws {
        #expect(try await self.ask(Self.loopback) == "anonymous viewer *")
        #expect(try await self.ask(Self.loopback, hasTokens: true) == nil)
        #expect(try await self.ask(Self.open) == nil)
        #expect(try await self.ask(Self.open, hasTokens: true) == nil)
    }

    @Test(arguments: [HTTPRequest.Method.post, .put, .delete, .patch])
    func writesNeedATokenAlwaysAndEverywhere(method: HTTPRequest.Method) async throws {
        #expect(try await self.ask(Self.loopback, method: method) == nil)
        #expect(try await self.ask(Self.open, method: method, path: "/") == nil)
        #expect(try await self.ask(Self.loopback, method: method, authorization: "Bearer right") == "token duty a")
    }

    @Test
    func aQueryAsAFormIsARead() async throws {
        #expect(try await self.ask(Self.loopback, method: .post, path: "/api/v1/query") == "anonymous viewer *")
        #expect(try await self.ask(Self.loopback, method: .post, path: "/api/v1/labels") == "anonymous viewer *")
        #expect(try await self.ask(Self.loopback, hasTokens: true, method: .post, path: "/api/v1/query") == nil)
        #expect(try await self.ask(Self.loopback, method: .post, path: "/api/v1/write") == nil)
    }

    @Test(arguments: ["Bearer wrong", "right", "Basic right", "Bearer", "Bearer "])
    func aTokenThatIsNotKnownIsRefusedEvenWhereReadsAreOpen(authorization: String) async throws {
        #expect(try await self.ask(Self.loopback, authorization: authorization) == nil)
        #expect(try await self.ask(Self.loopback, path: "/-/healthy", authorization: authorization) == nil)
    }

    /// What is open shows no org's data: the org of the one who asks is the empty one.
    @Test(arguments: ["/-/healthy", "/-/ready", "/", "/openapi.json", "/console/app.js"])
    func healthAndTheConsoleNeedNoTokenAndSeeNobodysData(path: String) async throws {
        #expect(try await self.ask(Self.open, hasTokens: true, path: path) == "anonymous viewer ")
    }

    @Test
    func aRoleMayDoWhatItIsForAndNothingElse() {
        let may: [TokenRole: Set<Permission>] = [
            .viewer: [.read], .duty: [.read, .acknowledge], .deviceAdmin: [.read, .register], .writer: [.read, .write],
            .admin: [.read, .acknowledge, .register, .write, .administer],
        ]
        for role in TokenRole.allCases {
            for permission in [Permission.read, .acknowledge, .register, .write, .administer] {
                #expect(role.permits(permission) == may[role]?.contains(permission), "\(role) \(permission)")
            }
        }
    }
}
