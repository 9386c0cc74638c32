// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for layouts of payloads; Tests/Fuzz/run builds and runs it.

/// Makes a layout of the first bytes and decodes the rest by it, as it may stand in a model's file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLayout(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var input = Choices([UInt8](UnsafeBufferPointer(start: start, count: count)))
    var layout = PayloadLayout(form: [.fixed, .tagged, .flagged][input.next(3)])
    layout.ports = input.next(4) == 0 ? [2] : []
    layout.trailer = input.next(4)
    layout.start = input.next(8)
    layout.flags = layout.form == .flagged ? number(&input) : nil
    layout.missing = [0, -1, 255, 32767]
    let hasTypes = input.next(2) == 0
    for _ in 0..<input.next(6) + 1 {
        var block = PayloadLayout.Block()
        block.id = layout.form == .flagged ? input.next(32) : input.next(256)
        block.type = hasTypes ? input.next(257) : -1
        block.length = input.next(16) - 1
        block.time = input.next(4) == 0 ? number(&input) : nil
        let part = layout.versionParts.count
        for _ in 0..<input.next(3) { layout.versionParts.append(number(&input)) }
        block.version = part..<layout.versionParts.count
        let first = layout.fields.count
        for _ in 0..<input.next(4) { layout.fields.append(field(&input, &layout)) }
        block.fields = first..<layout.fields.count
        layout.blocks.append(block)
    }
    var message = DecodedMessage()
    LayoutDecoder.decode(layout, input.rest.span, port: 2, time: nil, into: &message)
    check(message)
    return 0
}

private struct Choices {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// From 0 to below `count`.
    mutating func next(_ count: Int) -> Int {
        guard self.position + 1 < self.bytes.count else { return 0 }
        self.position += 2
        return (Int(self.bytes[self.position - 2]) << 8 | Int(self.bytes[self.position - 1])) % count
    }

    var rest: [UInt8] { Array(self.bytes[self.position...]) }
}

private func number(_ input: inout Choices) -> PayloadLayout.Number {
    let kind: PayloadLayout.Kind = [.unsigned, .signed, .float, .packedDecimal][input.next(4)]
    let width = kind == .float ? [2, 4, 8][input.next(3)] : [1, 2, 3, 4, 6][input.next(5)]
    var order: PayloadLayout.Order = [.big, .little, .bigLowWordFirst][input.next(3)]
    if width % 2 == 1, order == .bigLowWordFirst { order = .big }
    let shift = input.next(width * 8)
    let bits = kind == .unsigned || kind == .signed ? input.next(width * 8 - shift + 1) : 0
    return PayloadLayout.Number(
        at: input.next(40) - 20,
        kind: kind,
        width: width,
        order: order,
        shift: shift,
        bits: bits
    )
}

private func field(_ input: inout Choices, _ layout: inout PayloadLayout) -> PayloadLayout.Field {
    var field = PayloadLayout.Field(key: "k", number: number(&input))
    field.divisor = [1, 10, 1000][input.next(3)]
    field.offset = Double(input.next(100))
    field.polynomial = input.next(3) == 0 ? [1, 2, 3] : []
    field.decimals = input.next(3) == 0 ? input.next(10) : nil
    field.missing = 0..<input.next(5)
    if input.next(3) == 0 {
        let first = layout.allConditions.count
        layout.allConditions.append(
            PayloadLayout.Condition(number: number(&input), range: 0...255, isInverted: input.next(2) == 0)
        )
        field.conditions = first..<first + 1
    }
    field.isOptional = input.next(2) == 0
    return field
}
