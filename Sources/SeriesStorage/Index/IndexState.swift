// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What of the index changes as series come: used by one thread at a time.
struct IndexState: ~Copyable, Sendable {
    private var texts = StableArena<IndexedText>()
    private var bytes = StableArena<UInt32>()
    /// By text: of a value the list of its series, of a name the list of its values.
    private var handles = StableArena<UInt32>()
    private var lists = NumberLists()
    /// The numbers of all names.
    private var names: UInt32 = 0
    private var textTable = NumberTable()

    private var words = StableArena<UInt32>()
    private var starts = StableArena<UInt32>()
    private var seriesTable = NumberTable()

    private let hash = LabelHash()
    private let reader: IndexReader

    init() {
        self.reader = IndexReader(
            texts: self.texts.reader,
            bytes: self.bytes.reader,
            words: self.words.reader,
            starts: self.starts.reader,
            lists: self.lists.reader
        )
        // The number zero stands for nothing.
        _ = self.texts.append(IndexedText(owner: .max, position: 0, length: 0))
        _ = self.handles.append(0)
        _ = self.starts.append(0)
    }

    /// For the parts that can be read outside of the lock.
    var sharedReader: IndexReader { self.reader }
    var seriesCount: Int { self.starts.count - 1 }
    /// Text numbers are below this.
    var textLimit: Int { self.texts.count }

    // MARK: Texts

    /// The number of a name, or of a value of the name `owner`; zero where there is none.
    @inline(__always)
    func text(_ utf8: UnsafeBufferPointer<UInt8>, owner: UInt32) -> UInt32 {
        self.find(utf8, owner: owner, hash: self.hash.hash(utf8, owner: owner))
    }

    @inline(__always)
    func text(_ string: String, owner: UInt32) -> UInt32 {
        string.withBytes { self.text($0, owner: owner) }
    }

    @inline(__always)
    private func find(_ utf8: UnsafeBufferPointer<UInt8>, owner: UInt32, hash: UInt64) -> UInt32 {
        let reader = self.reader
        return self.textTable.find(hash) { number in
            guard reader.texts[number].owner == owner else { return false }
            let found = reader.utf8(of: number)
            return found.count == utf8.count && found.elementsEqual(utf8) || found.isSameBeyondASCII(as: utf8)
        }
    }

    @inline(__always)
    private mutating func intern(_ utf8: UnsafeBufferPointer<UInt8>, owner: UInt32) -> UInt32 {
        let hash = self.hash.hash(utf8, owner: owner)
        let known = self.find(utf8, owner: owner, hash: hash)
        return known != 0 ? known : self.add(utf8, owner: owner, hash: hash)
    }

    private mutating func add(_ utf8: UnsafeBufferPointer<UInt8>, owner: UInt32, hash: UInt64) -> UInt32 {
        var position: UInt32 = 0
        if let start = utf8.baseAddress, utf8.count > 0 {
            position = self.bytes.allocate((utf8.count + 3) / 4)
            UnsafeMutableRawPointer(self.bytes.pointer(to: position)).copyMemory(from: start, byteCount: utf8.count)
        }
        let length = UInt32(truncatingIfNeeded: utf8.count)
        let number = self.texts.append(IndexedText(owner: owner, position: position, length: length))
        precondition(number < IndexReader.lastMark, "the label index is full: 2,147,483,647 names and values")
        _ = self.handles.append(0)
        let (reader, hasher) = (self.reader, self.hash)
        self.textTable.insert(number, hash: hash) { other in
            hasher.hash(reader.utf8(of: other), owner: reader.texts[other].owner)
        }
        if owner == 0 {
            self.names = self.lists.append(number, to: self.names)
        } else {
            self.handles[owner] = self.lists.append(number, to: self.handles[owner])
        }
        return number
    }

    // MARK: Series

    func series(_ labels: Labels) -> UInt32 {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(labels.count, 1)) { words in
            words[0] = 0
            var count = 0
            for label in labels where !label.value.isEmpty {
                let name = self.text(label.name, owner: 0)
                let pair = name == 0 ? 0 : self.text(label.value, owner: name)
                if pair == 0 { return 0 }
                words[count] = pair
                count += 1
            }
            words[max(count, 1) - 1] |= IndexReader.lastMark
            let pairs = UnsafeBufferPointer(rebasing: words[..<max(count, 1)])
            return self.findSeries(pairs, hash: self.hash.hash(pairs))
        }
    }

    mutating func insert(_ labels: Labels) -> UInt32 {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(labels.count, 1)) { words in
            var count = 0
            for label in labels where !label.value.isEmpty {
                let name = label.name.withBytes { self.intern($0, owner: 0) }
                words[count] = label.value.withBytes { self.intern($0, owner: name) }
                count += 1
            }
            return self.insertSeries(words, count: count)
        }
    }

    /// Of texts that alternate between names and values, sorted by name, without empty values.
    mutating func insert(_ texts: UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) -> UInt32 {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(texts.count / 2, 1)) { words in
            for index in 0..<texts.count / 2 {
                words[index] = self.intern(texts[2 * index + 1], owner: self.intern(texts[2 * index], owner: 0))
            }
            return self.insertSeries(words, count: texts.count / 2)
        }
    }

    private mutating func insertSeries(_ words: UnsafeMutableBufferPointer<UInt32>, count: Int) -> UInt32 {
        if count == 0 { words[0] = 0 }
        let count = max(count, 1)
        words[count - 1] |= IndexReader.lastMark
        let pairs = UnsafeBufferPointer(rebasing: words[..<count])
        let hash = self.hash.hash(pairs)
        let known = self.findSeries(pairs, hash: hash)
        if known != 0 { return known }

        let start = self.words.allocate(count)
        for index in 0..<count { self.words.pointer(to: start)[index] = pairs[index] }
        let series = self.starts.append(start)
        precondition(series < IndexReader.lastMark, "the label index is full: 2,147,483,647 series")
        let (reader, hasher) = (self.reader, self.hash)
        self.seriesTable.insert(series, hash: hash) { other in
            let words = reader.words(of: other)
            return hasher.hash(UnsafeBufferPointer(start: words, count: reader.wordCount(of: words)))
        }
        for word in pairs where word & ~IndexReader.lastMark != 0 {
            let pair = word & ~IndexReader.lastMark
            self.handles[pair] = self.lists.append(series, to: self.handles[pair])
        }
        return series
    }

    private func findSeries(_ words: UnsafeBufferPointer<UInt32>, hash: UInt64) -> UInt32 {
        let reader = self.reader
        return self.seriesTable.find(hash) { series in
            let known = reader.words(of: series)
            for index in words.indices where known[index] != words[index] { return false }
            return true
        }
    }

    // MARK: Lists

    /// The series that have a value.
    @inline(__always)
    func seriesList(_ pair: UInt32) -> NumberLists.Snapshot { self.lists.snapshot(self.handles[pair]) }

    /// The values of a name.
    func valueList(_ name: UInt32) -> NumberLists.Snapshot { self.lists.snapshot(self.handles[name]) }

    func nameList() -> NumberLists.Snapshot { self.lists.snapshot(self.names) }
}

extension String {
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = self.utf8.withContiguousStorageIfAvailable(body) { return result }
        var copy = self
        return copy.withUTF8(body)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether Swift holds two texts of different bytes for the same text, which takes a character beyond ASCII.
    @inline(never)
    fileprivate func isSameBeyondASCII(as other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard self.contains(where: { $0 >= 0x80 }) || other.contains(where: { $0 >= 0x80 }) else { return false }
        return String(decoding: self, as: UTF8.self) == String(decoding: other, as: UTF8.self)
    }
}
