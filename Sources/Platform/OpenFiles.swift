// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How many files and connections this process may hold open.
///
/// It should never come to the last: the pool of threads below Swift's tasks (libdispatch) looks at its threads through
/// files of `/proc`, and ends the process where it cannot open one. So a server takes fewer connections than there may be.
package enum OpenFiles {
    /// What is open beside connections: databases, their readers, timers, the broker's socket.
    package static let spare = 64

    /// Beyond this nothing is gained; some programs close every number that they might have.
    private static let plenty: rlim_t = 8192

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

    /// How many may be open now.
    package static var limit: Int {
        var limit = rlimit()
        guard getrlimit(self.resource, &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the limit as far as the system lets us by ourselves.
    ///
    /// - Throws: ``PlatformError`` where that is not enough for `connections` and ``spare``.
    package static func prepare(connections: Int) throws {
        var limit = rlimit()
        let needed = rlim_t(connections + self.spare)
        if getrlimit(self.resource, &limit) == 0 {
            limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, max(needed, self.plenty)))
            setrlimit(self.resource, &limit)
        }
        guard self.limit >= needed else {
            throw PlatformError(
                .openFiles,
                "\(self.limit) files may be open, and \(connections) connections need \(needed); raise the limit "
                    + "(ulimit -n, LimitNOFILE of systemd)"
            )
        }
    }
}
