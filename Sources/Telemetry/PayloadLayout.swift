// poyang
// SPDX-License-Identifier: Apache-2.0

/// Where the bytes of a device's own payload hold its values: what a model's file says, in a flat form.
///
/// Three forms cover what sensors send. `fixed`: frames whose fields stand at fixed places, told apart by port, length and
/// bits. `tagged`: items one behind the other, each led by an id and, mostly, a type. `flagged`: a word whose set bits say
/// which blocks follow, lowest bit first.
package struct PayloadLayout: Hashable, Sendable {
    /// The type of an item that is meant whatever its type.
    package static let anyType = 256

    package enum Form: String, CaseIterable, Hashable, Sendable {
        case fixed
        case tagged
        case flagged
    }

    package enum Order: String, CaseIterable, Hashable, Sendable {
        case big
        case little
        /// Words of 16 bits, the low word first, the bytes in each with the high one first.
        case bigLowWordFirst = "big-low-word-first"
    }

    package enum Kind: Hashable, Sendable {
        case unsigned
        case signed
        /// IEEE 754, of 2, 4 or 8 bytes.
        case float
        /// Two decimal digits a byte.
        case packedDecimal
    }

    /// A number within a frame or block.
    package struct Number: Hashable, Sendable {
        /// Bytes from the beginning; below zero from the end.
        package var at: Int
        package var kind: Kind
        /// Bytes, 1…8.
        package var width: Int
        package var order: Order
        /// The lowest bit of those that count.
        package var shift: Int
        /// How many bits count; all where 0.
        package var bits: Int

        package init(at: Int, kind: Kind, width: Int, order: Order, shift: Int = 0, bits: Int = 0) {
            self.at = at
            self.kind = kind
            self.width = width
            self.order = order
            self.shift = shift
            self.bits = bits
        }
    }

    /// What a number must be for that which it stands before to be read.
    package struct Condition: Hashable, Sendable {
        package var number: Number
        package var range: ClosedRange<Double>
        package var isInverted: Bool

        package init(number: Number, range: ClosedRange<Double>, isInverted: Bool) {
            self.number = number
            self.range = range
            self.isInverted = isInverted
        }
    }

    /// One value.
    package struct Field: Hashable, Sendable {
        /// The key of the reading.
        package var key: String
        package var number: Number
        /// Taken from the raw number first.
        package var base = 0.0
        /// The rest times ``multiplier`` and divided by ``divisor``: both whole, so that 215 with a scale of 0.1 is 21.5.
        package var multiplier = 1.0
        package var divisor = 1.0
        /// Added at last.
        package var offset = 0.0
        /// Coefficients from the constant term on, applied to the scaled number; none where empty.
        package var polynomial: [Double] = []
        /// Rounded to so many decimals; not rounded where nil.
        package var decimals: Int?
        /// Where its raw values that mean "none" stand in ``PayloadLayout/missing``.
        package var missing: Range<Int> = 0..<0
        package var conditions: Range<Int> = 0..<0
        /// Whether a frame may end before it.
        package var isOptional = false

        package init(key: String, number: Number) {
            self.key = key
            self.number = number
        }
    }

    /// A frame, an item or a block.
    package struct Block: Hashable, Sendable {
        /// The ports of a frame; any where empty.
        package var ports: [Int] = []
        /// The id of an item, or the bit of a block.
        package var id = 0
        /// The type of an item; -1 where items have none, ``PayloadLayout/anyType`` where any will do.
        package var type = -1
        /// Bytes; the least of a frame, all of an item or block, -1 for those up to the payload's end.
        package var length = 0
        package var fields: Range<Int> = 0..<0
        package var conditions: Range<Int> = 0..<0
        /// Seconds since 1970 at which the block's values were measured.
        package var time: Number?
        /// Where the parts of the device's firmware version stand in ``PayloadLayout/versionParts``; none where empty.
        package var version: Range<Int> = 0..<0
        /// Each part is written to this base, with points between.
        package var versionRadix = 10

        package init() {}
    }

    package var form: Form
    /// The ports that carry values; any where empty.
    package var ports: [Int] = []
    /// Ports that are known to carry none.
    package var ignoredPorts: [Int] = []
    /// What must be so of any payload.
    package var conditions: Range<Int> = 0..<0
    /// Of the form `flagged`: the word with the flags, and where the first block begins.
    package var flags: Number?
    package var start = 0
    /// Bytes at the end that are no part of items or blocks: a checksum.
    package var trailer = 0
    package var blocks: [Block] = []
    package var fields: [Field] = []
    package var allConditions: [Condition] = []
    package var missing: [Double] = []
    package var versionParts: [Number] = []

    package init(form: Form) {
        self.form = form
    }

    /// Whether items have a type behind their id.
    package var hasTypes: Bool { self.blocks.contains { $0.type >= 0 } }
}
