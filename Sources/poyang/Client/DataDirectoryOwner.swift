// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Who owns a data directory: the process that holds `flock` on `DATA/lock`.
enum DataDirectoryOwner {
    enum Owner: Hashable {
        case nobody
        /// Somebody; the process number is what the lock file says, `?` where it says nothing.
        case process(String)
    }

    /// Looks without waiting and without keeping the lock.
    static func present(of data: String) -> Owner {
        let path = "\(data)/lock"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .nobody }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return .nobody }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let number = text.prefix { $0.isASCII && $0.isNumber }
        return .process(number.isEmpty ? "?" : String(number))
    }
}
