// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The switch of `Tests/Faults/ioerror.c`, where it was preloaded.
package struct Faults: Sendable {
    private let call: @convention(c) @Sendable (Int32) -> Int32

    /// Nil where the process runs without it.
    package init?() {
        guard let symbol = dlsym(nil, "poyang_faults") else { return nil }
        self.call = unsafeBitCast(symbol, to: (@convention(c) @Sendable (Int32) -> Int32).self)
    }

    /// Lets calls fail from now on, or lets them succeed again; gives how many failed until now.
    @discardableResult
    package func set(_ isOn: Bool) -> Int { Int(self.call(isOn ? 1 : 0)) }
}
