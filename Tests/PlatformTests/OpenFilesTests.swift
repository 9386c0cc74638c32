// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Platform

/// The limit is the process's: each test has one of its own.
@Suite(.timeLimit(.minutes(1)))
struct OpenFilesTests {
    @Test func theLimitIsRaisedAsFarAsTheSystemAllows() async {
        await #expect(processExitsWith: .success) {
            var few = rlimit(rlim_cur: 100, rlim_max: 1000)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &few)
            try OpenFiles.prepare(connections: 64)
            #expect(OpenFiles.limit == 1000)
        }
    }

    @Test func tooFewFilesForTheConnectionsAreRefusedAtTheStart() async {
        await #expect(processExitsWith: .success) {
            var few = rlimit(rlim_cur: 100, rlim_max: 1000)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &few)
            let error = #expect(throws: PlatformError.self) { try OpenFiles.prepare(connections: 2000) }
            #expect(error?.code == .openFiles)
            #expect(error?.message.hasPrefix("1000 files may be open, and 2000 connections need 2064; ") == true)
        }
    }
}
