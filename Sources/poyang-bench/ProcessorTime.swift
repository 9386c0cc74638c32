// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Processor time by thread, as the kernel counts it.
enum ProcessorTime {
    /// Seconds of each thread of a process by the thread's name; threads of one name together.
    static func threads(of process: Int32) -> [String: Double] {
        let folder = "/proc/\(process)/task"
        var seconds: [String: Double] = [:]
        for thread in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let stat = try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8),
                let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")")
            else { continue }
            // After the name: state is field 3, utime and stime are 14 and 15 (proc(5)).
            let fields = stat[stat.index(after: close)...].split(separator: " ")
            guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { continue }
            let name = String(stat[stat.index(after: open)..<close])
            seconds[name, default: 0] += (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
        return seconds
    }
}
