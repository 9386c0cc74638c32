// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Lowers the priority of the calling thread, and of no other.
///
/// Linux has it so (setpriority(2), "C library/kernel differences"), and always grants more niceness.
///
/// - Parameter niceness: 0 … 19, higher waits longer.
package func yieldToOthers(_ niceness: Int32) {
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
}

/// RUSAGE_THREAD of Linux's resource.h, which the C library shows to GNU sources only.
private let callingThread: Int32 = 1

/// Lets go of the core for a moment while others want it.
///
/// Priority alone is not enough: a core on which only a thread of low priority runs is not idle, and so the kernel does not
/// move a thread to it that waits at another core. On two cores that cost ingest a fifth of its speed. A thread that sleeps
/// for a moment leaves an idle core, which takes over what waits.
enum GivingWay {
    /// Nanoseconds between two looks.
    private static let interval: UInt64 = 250_000
    /// Others want the core for so many nanoseconds after they last took it from this thread.
    private static let memory: UInt64 = 50_000_000
    /// The kernel adds its timer slack of 50 µs.
    private static let rest = timespec(tv_sec: 0, tv_nsec: 20_000)

    /// What a thread knows of itself.
    private struct Look {
        var time: UInt64 = 0
        /// How often the core was taken from it (getrusage(2), ru_nivcsw).
        var losses = 0
        var wantedUntil: UInt64 = 0
    }

    private static let looks: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { $0?.deallocate() }
        return key
    }()

    /// Sleeps for some 70 µs where the core was taken from the calling thread lately; to be called often.
    static func pause() {
        let look = self.look()
        let now = self.uptime
        guard now &- look.pointee.time >= self.interval else { return }
        look.pointee.time = now
        var usage = rusage()
        guard getrusage(callingThread, &usage) == 0 else { return }
        if usage.ru_nivcsw != look.pointee.losses {
            look.pointee.losses = usage.ru_nivcsw
            look.pointee.wantedUntil = now + self.memory
        }
        guard now < look.pointee.wantedUntil else { return }
        var rest = self.rest
        nanosleep(&rest, nil)
        look.pointee.time = self.uptime
    }

    private static func look() -> UnsafeMutablePointer<Look> {
        if let known = pthread_getspecific(self.looks) { return known.assumingMemoryBound(to: Look.self) }
        let new = UnsafeMutablePointer<Look>.allocate(capacity: 1)
        new.initialize(to: Look())
        pthread_setspecific(self.looks, new)
        return new
    }

    private static var uptime: UInt64 { DispatchTime.now().uptimeNanoseconds }
}
