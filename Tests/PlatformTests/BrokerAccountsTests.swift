// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
import TestSupport
import Testing

@testable import Platform

/// What stands in the files that mosquitto reads.
struct BrokerAccountsTests {
    /// It was made before the person came into the file.
    @Test func anAccountWithTheNameOfAPersonOrOfTheServiceIsLeftOut() throws {
        try inTemporaryFolder { folder in
            try write(["passwords.extra": "alice:$6$hers\r\n"], below: folder)
            let accounts = BrokerAccounts(
                folder: folder.path,
                processIDFile: nil,
                service: (user: "poyang", password: "secret")
            )
            let users: [(String, AccountRole)] = [("alice", .networkServer), ("node-1", .device), ("poyang", .device)]
            let rows = users.map {
                CredentialRow(user: $0.0, role: $0.1, hash: "$6$ours", createdAt: Workbench.start, who: "李工")
            }
            let toDo = try #require(try accounts.publish(rows))
            #expect(toDo.contains("; 2 of the accounts have the name of one in passwords.extra"), "\(toDo)")
            func text(_ name: String) throws -> String {
                try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            }
            let lines = try text("passwords").split(whereSeparator: \.isNewline)
            #expect(lines.map { $0.prefix { $0 != ":" } } == ["poyang", "node-1", "alice"])
            #expect(lines.last == "alice:$6$hers")
            #expect(try !text("acl").contains("user alice"))
        }
    }
}
