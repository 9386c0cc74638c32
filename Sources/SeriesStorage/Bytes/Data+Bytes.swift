// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Data {
    /// A copy.
    var array: [UInt8] { [UInt8](self) }
}
