// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import StrictYAML
import Telemetry

extension CatalogFiles {
    /// Reads `models/<vendor>/<model>.yaml`, `sites/<group>/<site>.yaml` and `areas/**.yaml` in a directory.
    ///
    /// - Throws: ``ProblemList`` with everything that is wrong in any of the files.
    package static func load(directory: String) throws -> CatalogFiles {
        let problems = ProblemCollector()
        let sources = self.sources(in: directory, problems: problems)
        return try self.parse(sources, problems: problems)
    }

    /// Reads files that are already in memory.
    ///
    /// - Throws: ``ProblemList`` with everything that is wrong in any of them.
    package static func parse(_ sources: [SourceText]) throws -> CatalogFiles {
        try self.parse(sources, problems: ProblemCollector())
    }

    private static func sources(in directory: String, problems: ProblemCollector) -> [SourceText] {
        let root = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isDirectory), isDirectory.boolValue else {
            problems.report(
                Problem(
                    file: root,
                    line: 0,
                    column: 0,
                    message: "there is no such directory; give it with --devices DIR",
                    zh: "没有此文件夹；请用 --devices DIR 指定"
                )
            )
            return []
        }
        let paths: [String]
        do {
            // With the slash, a link to a folder is the folder.
            paths = try FileManager.default.subpathsOfDirectory(atPath: root + "/").sorted()
        } catch {
            problems.report(
                Problem(
                    file: root,
                    line: 0,
                    column: 0,
                    message: "the directory cannot be read: \(error.localizedDescription)",
                    zh: "文件夹无法读取"
                )
            )
            return []
        }
        var sources: [SourceText] = []
        for path in paths
        where path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            let file = root + "/" + path
            guard !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else { continue }
            guard let data = FileManager.default.contents(atPath: file) else {
                problems.report(
                    Problem(file: file, line: 0, column: 0, message: "the file cannot be read", zh: "文件无法读取")
                )
                continue
            }
            guard let text = String(validating: data, as: UTF8.self) else {
                problems.report(
                    Problem(
                        file: file,
                        line: 0,
                        column: 0,
                        message: "the file is not UTF-8; save it as UTF-8",
                        zh: "文件不是 UTF-8 编码；请另存为 UTF-8"
                    )
                )
                continue
            }
            sources.append(SourceText(path: file, text: text))
        }
        return sources
    }

    private static func parse(_ sources: [SourceText], problems: ProblemCollector) throws -> CatalogFiles {
        var reading = CatalogReading(problems: problems)
        for source in sources { reading.add(source) }
        let files = reading.finish()
        try problems.throwIfAny()
        return files
    }
}

/// Reads file after file and then checks what refers to another file.
private struct CatalogReading {
    private var files = CatalogFiles()
    private var sites: [SiteFile] = []
    private var areas: [AreaFile] = []
    private let problems: ProblemCollector

    init(problems: ProblemCollector) {
        self.problems = problems
    }

    mutating func add(_ source: SourceText) {
        let parts = source.path.split(separator: "/").map(String.init)
        guard let kind = parts.lastIndex(where: { ["models", "sites", "areas"].contains($0) }), let name = parts.last
        else {
            self.report(
                source,
                "files belong under models/<vendor>/, sites/<group>/ or areas/",
                zh: "文件应放在 models/<厂商>/、sites/<分组>/ 或 areas/ 之下"
            )
            return
        }
        let below = parts[(kind + 1)...].count
        let slug = String(name.dropLast(name.hasSuffix(".yml") ? 4 : 5))
        if parts[kind] == "models", below == 2, slug.hasSuffix(".examples") {
            self.addExamples(source, model: parts[parts.count - 2] + "/" + slug.dropLast(9))
            return
        }
        switch (parts[kind], below) {
        case ("models", 2): self.addModel(source, id: parts[parts.count - 2] + "/" + slug)
        case ("sites", 2): self.addSite(source, slug: slug)
        case ("areas", _): self.addArea(source, slug: slug)
        default:
            self.report(
                source,
                "the path is \(parts[kind])/<folder>/<name>.yaml, one folder deep",
                zh: "路径应为 \(parts[kind])/<文件夹>/<名称>.yaml，只有一层文件夹"
            )
        }
    }

    private mutating func addModel(_ source: SourceText, id: String) {
        guard let root = YAMLValue.parse(source.text, file: source.path, problems: self.problems) else { return }
        guard DeviceModel.builtIn[id] == nil else {
            root.report("the model '\(id)' is built in; name this file otherwise", zh: "型号“\(id)”为内置型号；文件请另取名")
            return
        }
        let model = ModelFile.read(root, id: id)
        if self.declare("model \(id)", at: root) { self.files.models[id] = model ?? DeviceModel(id: id) }
    }

    private mutating func addExamples(_ source: SourceText, model: String) {
        guard let root = YAMLValue.parse(source.text, file: source.path, problems: self.problems) else { return }
        self.files.examples += ModelExamplesFile.read(root, model: model)
    }

    private mutating func addSite(_ source: SourceText, slug: String) {
        guard let root = YAMLValue.parse(source.text, file: source.path, problems: self.problems),
            let file = SiteFile(root, slug: slug)
        else { return }
        self.sites.append(file)
        if self.declare("site \(slug)", at: file.place) { self.files.sites[slug] = file.site }
        for declared in file.devices where self.declare("device \(declared.device.id)", at: declared.place) {
            self.files.devices[declared.device.id] = declared.device
        }
    }

    private mutating func addArea(_ source: SourceText, slug: String) {
        guard let root = YAMLValue.parse(source.text, file: source.path, problems: self.problems),
            let file = AreaFile(root, slug: slug)
        else { return }
        self.areas.append(file)
        if self.declare("area \(slug)", at: file.place) { self.files.areas[slug] = file.area }
    }

    /// Whether the id is new; a second declaration is reported with the place of the first.
    private mutating func declare(_ id: String, at place: YAMLValue) -> Bool {
        if let first = self.files.places[id] {
            let parts = id.split(separator: " ", maxSplits: 1)
            let kind = ["model": "型号", "site": "站点", "area": "区域", "device": "设备"][parts[0]] ?? ""
            place.report(
                "\(parts[0]) '\(parts[1])' is declared in \(first) already; ids are unique",
                zh: "\(kind)“\(parts[1])”已在 \(first) 中定义；编号不能重复"
            )
            return false
        }
        self.files.places[id] = place.place
        return true
    }

    func finish() -> CatalogFiles {
        let models = self.files.models.merging(DeviceModel.builtIn) { _, builtIn in builtIn }
        for declared in self.sites.flatMap(\.devices) {
            guard let model = models[declared.device.model] else {
                let known = models.keys.sorted().joined(separator: ", ")
                declared.modelPlace.report(
                    "there is no model '\(declared.device.model)'; there are \(known)",
                    zh: "没有型号“\(declared.device.model)”；现有 \(known)"
                )
                continue
            }
            if let message = model.zeroElevationProblem(of: declared.device) {
                declared.place.report(message.en, zh: message.zh)
            }
        }
        var files = self.files
        for declared in self.sites.flatMap(\.devices) {
            if let rival = files.addresses.rival(of: declared.device) {
                let place = files.places["device \(rival.device)"].map(\.name)
                let message = rival.refusal(of: declared.device.address, place: place)
                declared.addressPlace?.report(message.en, zh: message.zh)
            }
            files.addresses.add(declared.device)
        }
        for example in self.files.examples {
            let fault: LocalizedName
            switch self.files.models[example.model] {
            case nil:
                fault = LocalizedName(
                    zh: "该样例没有对应的型号“\(example.model)”",
                    en: "there is no model '\(example.model)' for this example"
                )
            case let model? where model.payload == nil && !model.takesAnyMetric:
                fault = LocalizedName(
                    zh: "型号“\(example.model)”没有 payload，无法解读该样例",
                    en: "the model '\(example.model)' has no 'payload', which would say how to read this"
                )
            default: continue
            }
            self.problems.report(example.problem(fault))
        }
        for reference in self.areas.flatMap(\.sites) + self.sites.flatMap(\.references)
        where self.files.sites[reference.id] == nil {
            reference.place.report(
                "there is no site '\(reference.id)' in the files; declare it or correct the id",
                zh: "文件中没有站点“\(reference.id)”；请定义该站点或更正编号"
            )
        }
        return files
    }

    private func report(_ source: SourceText, _ message: String, zh: String) {
        self.problems.report(Problem(file: source.path, line: 0, column: 0, message: message, zh: zh))
    }
}

extension DeviceModel {
    /// Stands for a model whose file is not readable, so that its devices are not reported, too.
    fileprivate init(id: String) {
        self.init(id: id, channels: [], takesAnyMetric: true)
    }
}
