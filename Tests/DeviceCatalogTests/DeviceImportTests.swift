// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

struct DeviceImportTests {
    private static let files = [
        "Devices/models/acme/level.yaml": "channels: { water_level_meters: { zero: site } }\n",
        "Devices/sites/g/x.yaml": """
        site: x
        name: { zh: 甲, en: X }
        kind: river
        devices: [{ id: filed, model: generic/json, name: in a file }]
        """,
    ]

    private func catalog(_ registered: CatalogRegistrations = .none) throws -> Catalog {
        try Fixture.catalog(Self.files, registered: registered)
    }

    private func verdicts(_ plan: DeviceImport) -> [String] {
        plan.rows.map { "\($0.line) \($0.device) \($0.verdict.rawValue) \($0.changes.joined(separator: ","))" }
    }

    @Test func createsChangesAndLeavesAlone() throws {
        let csv = """
            \u{FEFF}device_id,model,site_id,site_name,kind,latitude,longitude,org,basin,datum,interval,name,address
            a,generic/json,pond,"三号, 塘",pond,29.1,116.2,coop,poyang,local,5m,"a ""quoted"" name",00AB
            b,generic/json,pond,,,,,,,,,,

            c,generic/json,x,,,,,,,,10m,,
            filed,generic/json,x,,,,,,,,,,
            """
        let first = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(
            self.verdicts(first) == [
                "2 a created site", "3 b created ", "5 c created ", "6 filed unchanged ",
            ]
        )
        #expect(first.sites.map(\.name.zh) == ["三号, 塘"])
        #expect(first.sites.map(\.kind) == [.pond])
        #expect(first.devices.map(\.id) == ["a", "b", "c"])
        #expect(first.devices[0].name == "a \"quoted\" name")
        #expect(first.devices[0].schedule == .periodic(5 * .minute))

        let registered = CatalogRegistrations(sites: first.sites, devices: first.devices)
        let second = DeviceImport(csv: csv, catalog: try self.catalog(registered))
        #expect(second.rows.allSatisfy { $0.verdict == .unchanged })
        #expect(second.sites.isEmpty && second.devices.isEmpty)

        let changed = "device_id,model,site_id,interval,org\r\na,generic/json,pond,1h,other\r\n"
        let third = DeviceImport(csv: changed, catalog: try self.catalog(registered))
        #expect(self.verdicts(third) == ["2 a changed org,interval"])
        #expect(third.sites.map(\.org) == ["other"])
        #expect(third.devices.map(\.address) == ["00AB"], "what the file does not say stays")
    }

    @Test(arguments: [
        ("bad id,generic/json,x,,,,", "device_id", "'bad id' is no id"),
        (",generic/json,x,,,,", "device_id", "the cell is empty; it is required"),
        (
            "d,acme/none,x,,,,", "model",
            "there is no model 'acme/none'; there are acme/level, generic/hj212, generic/json, generic/sl651"
        ),
        ("d,generic/json,nowhere,,,,", "site_id", "give site_name and kind to create it"),
        ("d,generic/json,new,New,swamp,,", "kind", "'swamp' is no kind of site; it is one of field, river"),
        ("d,generic/json,x,,,95,116", "latitude", "'95' is no number from -90.0 to 90.0"),
        ("d,generic/json,x,,,29,", "longitude", "latitude is given without longitude"),
        ("filed,acme/level,x,,,,", "device_id", "declared in a file under Devices/; change it there"),
        ("d,generic/json,x,Other,,,", "site_id", "change there: site_name"),
        ("d,generic/json,x", "", "the row has 3 fields, the header 7"),
    ])
    func saysWhatIsWrongWithARow(row: String, field: String, message: String) throws {
        let csv = "device_id,model,site_id,site_name,kind,latitude,longitude\n\(row)\ngood,generic/json,x,,,,\n"
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.map(\.verdict) == [.error, .created], "a bad row does not stop the others")
        let problem = plan.rows[0].problems.first { $0.field == field }
        #expect(problem?.message.en.contains(message) ?? false, "\(plan.rows[0].problems)")
        #expect(problem.map { isChinese($0.message.zh) } ?? false, "\(plan.rows[0].problems)")
        #expect(plan.devices.map(\.id) == ["good"])
    }

    @Test func reportsEveryProblemOfARow() throws {
        let csv = "device_id,model,site_id,interval,mount_height_m\nd,none/none,nowhere,5,tall\n"
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.first?.problems.map(\.field).sorted() == ["interval", "model", "mount_height_m", "site_id"])
    }

    @Test func refusesASecondRowOfADeviceAndASecondOwnerOfAnAddress() throws {
        let csv = "device_id,model,site_id,address\na,generic/json,x,00ab\na,generic/json,x,\nb,generic/json,x,00AB\n"
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.map(\.verdict) == [.created, .error, .error])
        #expect(plan.rows[1].problems.first?.message.en.contains("on line 2 already") ?? false)
        #expect(plan.rows[2].problems.first?.message.en.contains("the address of device 'a'") ?? false)
    }

    /// As labels, network servers and people write them; of SL 651 the ten digits that stations send, or eight of them.
    @Test(arguments: [
        ("24E124126B000012", "24-e1-24-12-6b-00-00-12"), ("24:E1:24:12:6B:00:00:12", "24e124126b000012"),
        ("24 E1 24 12 6B 00 00 12", "24:e1:24:12:6b:00:00:12"), ("62302250", "0062302250"),
        ("360426000500", "36042601F4"), ("81733553213013", "81733553213013"), ("farm-1/node", "FARM-1/node"),
    ])
    func oneAddressWrittenInTwoWaysIsOne(first: String, second: String) throws {
        let csv = "device_id,model,site_id,address\na,generic/json,x,\(first)\nb,generic/json,x,\(second)\n"
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.map(\.verdict) == [.created, .error])
        let problem = try #require(plan.rows[1].problems.first)
        let written = first == second ? "" : ", written '\(first)'"
        #expect(
            problem.text.en
                == "address: '\(second)' is the address of device 'a' already (line 2\(written)); addresses are unique: "
                + "correct one of the two"
        )
        #expect(problem.text.zh.contains("“\(second)”已是设备“a”的地址（第 2 行"))
        // What was registered before counts as much as what stands in the file, until it is another's.
        let catalog = try self.catalog(CatalogRegistrations(devices: plan.devices))
        let later = DeviceImport(
            csv: """
                device_id,model,site_id,address
                b,generic/json,x,\(second)
                a,generic/json,x,99
                b,generic/json,x,\(second)
                """,
            catalog: catalog
        )
        #expect(later.rows.map(\.verdict) == [.error, .changed, .created], "\(later.rows)")
    }

    /// They were registered before such a pair was refused: what is wrong with them is said when they are registered again.
    @Test func aPairFromBeforeCanBeParted() throws {
        let pair = ["24-E1-24-12-6B-00-00-12", "24e124126b000012"]
        let devices = zip(["b", "a"], pair).map { Device(id: $0, model: "generic/json", site: "x", address: $1) }
        let catalog = try self.catalog(CatalogRegistrations(devices: devices))
        #expect(catalog.device(address: "24E124126B000012")?.id == "a")
        let csv = """
            device_id,model,site_id,address
            b,generic/json,x,24-E1-24-12-6B-00-00-12
            b,generic/json,x,24-E1-24-12-6B-00-00-13
            c,generic/json,x,24E124126B000012
            """
        let plan = DeviceImport(csv: csv, catalog: catalog)
        #expect(plan.rows.map(\.verdict) == [.error, .changed, .error])
        #expect(plan.rows[2].problems.first?.message.en.contains("the address of device 'a'") ?? false)
    }

    /// An MN and the names of Sparkplug are what they are to the letter.
    @Test(arguments: [("88888880000-01", "8888888000001"), ("farm-1/node", "farm1/node"), ("1234", "12-34")])
    func separatorsCountWhereTheyArePartOfTheAddress(first: String, second: String) throws {
        let csv = "device_id,model,site_id,address\na,generic/json,x,\(first)\nb,generic/json,x,\(second)\n"
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.map(\.verdict) == [.created, .created])
        let catalog = try self.catalog(CatalogRegistrations(devices: plan.devices))
        #expect(catalog.device(address: first)?.id == "a" && catalog.device(address: second)?.id == "b")
    }

    /// It would never be heard of: network servers say whose an uplink is by the DevEUI alone.
    @Test func aDeviceWhoseBytesAreReadHasADevEUI() throws {
        let layout = """
            channels: { water_level_meters: { key: level, unit: mm } }
            payload: { form: fixed, ports: [2], frames: [{ fields: [{ key: level, type: u8 }] }] }
            """
        let catalog = try Fixture.catalog(Self.files.merging(["Devices/models/acme/probe.yaml": layout]) { $1 })
        let csv = """
            device_id,model,site_id,address
            a,acme/probe,x,24E124126B00001
            b,acme/probe,x,24E124126B00001G
            c,acme/probe,x,24-e1-24-12-6b-00-00-12
            d,acme/probe,x,
            e,acme/level,x,12345
            """
        let plan = DeviceImport(csv: csv, catalog: catalog)
        #expect(plan.rows.map(\.verdict) == [.error, .error, .created, .created, .created])
        #expect(plan.rows[0].problems.first?.message.en.contains("'24E124126B00001' is no DevEUI") ?? false)
    }

    @Test(arguments: [
        ("", "the file is empty"), ("device_id,model\na,b\n", "the column is missing"),
        ("device_id,model,site_id,colour\n", "the column is not known"),
        ("device_id,model,site_id,model\n", "the column appears twice"),
        ("device_id,model,site_id\na,\"b,c\n", "a quote is opened and never closed"),
        ("device_id,model,site_id\na,\"b\"c,d\n", "text follows the closing quote"),
        ("device_id,model,site_id,\na,generic/json,x,\n", "column 4 of the header has no name"),
        (String(repeating: "x,", count: 1_000_000) + "\n", "the header has 1000001 columns; at most 200"),
        (String(repeating: "x", count: 1_000_000) + "\n", "the column is missing"),
    ])
    func refusesAFileThatIsNoTableOfDevices(csv: String, message: String) throws {
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.map(\.verdict) == [.error])
        #expect(plan.rows.first?.problems.first?.message.en.contains(message) ?? false, "\(plan.rows)")
        #expect(plan.rows.first?.problems.allSatisfy { isChinese($0.text.zh) } ?? false, "\(plan.rows)")
        #expect(plan.rows.first?.problems.allSatisfy { $0.text.en.count < 400 } ?? false, "nothing long is repeated")
    }

    /// As spreadsheets save files that were not asked for UTF-8.
    @Test(arguments: [
        (
            [UInt8]("device_id,model,site_id,site_name,kind\na,generic/json,s,".utf8) + [0xD0, 0xC7, 0xD7, 0xD3], 2,
            "GBK"
        ),
        ([0xFF, 0xFE, 0x64, 0x00, 0x65, 0x00], 1, "UTF-16"), ([0xFE, 0xFF, 0x00, 0x64], 1, "UTF-16"),
        ([0x64, 0x00, 0x65, 0x00], 1, "UTF-16"),
    ])
    func anotherEncodingIsNamedAndNothingIsGuessed(file: [UInt8], line: Int, encoding: String) throws {
        let catalog = try self.catalog()
        for rows in [DeviceImport(csv: file, catalog: catalog).rows, ThresholdImport(csv: file, catalog: catalog).rows]
        {
            #expect(rows.map(\.line) == [line] && rows.map(\.verdict) == [.error])
            let problem = try #require(rows.first?.problems.first?.text)
            #expect(problem.en.contains(encoding) && problem.zh.contains(encoding), "\(problem)")
            #expect(problem.en.contains("save it as UTF-8 (in Excel: CSV UTF-8)") && problem.zh.contains("另存为 UTF-8"))
            #expect(line == 1 || problem.en.contains("byte 0xD0 at column 18"), "\(problem)")
        }
    }

    @Test(arguments: [
        "device_id,model,site_id\rd,generic/json,x\r", "device_id\tmodel\tsite_id\nd\tgeneric/json\tx\n",
        "device_id;model;site_id\r\nd;generic/json;x\r\n",
    ])
    func linesAndFieldsMayEndAsOtherProgramsEndThem(csv: String) throws {
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(self.verdicts(plan) == ["2 d created "])
    }

    @Test func rowsThatSayTwoThingsOfOneSiteAreRefused() throws {
        let csv = """
            device_id,model,site_id,site_name,kind,latitude,longitude
            a,generic/json,pond,塘,pond,29.1,116.1
            b,generic/json,pond,塘,pond,29.10,116.1
            c,generic/json,pond,,,,
            d,generic/json,pond,池,lake,29.2,116.1
            e,none,creek,溪,river,,
            f,generic/json,creek,沟,field,,
            """
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.map(\.verdict) == [.created, .created, .created, .error, .error, .created])
        #expect(plan.rows[3].problems.map(\.field) == ["site_name", "kind", "latitude"])
        let problem = try #require(plan.rows[3].problems.first?.text)
        #expect(problem.en == "site_name: line 2 says '塘' of site 'pond', this row '池'; correct one of the two")
        #expect(problem.zh == "site_name：第 2 行中站点“pond”为“塘”，本行为“池”；请更正其中一个")
        #expect(plan.sites.map(\.name.zh) == ["塘", "沟"], "what a refused row says does not count")
    }

    @Test func cellsHaveALongestLength() throws {
        let long = String(repeating: "长", count: 201)
        let csv = """
            device_id,model,site_id,name,address
            a,generic/json,x,\(long),
            b,generic/json,x,\(long.dropLast()),
            \(long),generic/json,x,,
            c,generic/hj212,x,,88888880000-01-0123456789
            d,generic/hj212,x,,88888880000-01-012345678
            e,generic/sl651,x,,hello world
            f,generic/sl651,x,,12
            g,generic/sl651,x,,00 6230 1800
            h,generic/json,x,,12
            """
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(
            plan.rows.map(\.verdict) == [
                .error, .created, .error, .error, .created, .error, .error, .created, .created,
            ]
        )
        #expect(plan.rows[0].problems.map(\.text.en) == ["name: the cell has 201 characters; at most 200 are taken"])
        #expect(plan.rows[2].device.count < 70, "nothing long is repeated")
        #expect(plan.rows[3].problems.first?.message.en.contains("at most 24 characters") ?? false)
        #expect(plan.rows[5].problems.first?.message.en.contains("no address of SL 651") ?? false)
        #expect(plan.rows.flatMap(\.problems).allSatisfy { isChinese($0.message.zh) })
    }

    /// Each with a site of its own; ten seconds are promised for all that `import-csv` does.
    @Test func tenThousandRowsTakeSeconds() throws {
        var csv = "device_id,model,site_id,site_name,kind,address\n"
        for number in 0..<10_000 { csv += "n\(number),generic/json,s\(number),站\(number),field,A\(number)\n" }
        let catalog = try self.catalog()
        let start = ContinuousClock.now
        let plan = DeviceImport(csv: csv, catalog: catalog)
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(plan.devices.count == 10_000 && plan.sites.count == 10_000)
    }

    @Test func countsLinesInsideQuotedFields() throws {
        let csv = "device_id,model,site_id,name\na,generic/json,x,\"two\nlines\"\nb,none,x,\n"
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(plan.rows.map(\.line) == [2, 4])
        #expect(plan.devices.map(\.name) == ["two\nlines"])
    }

    @Test func takesTheThingsStacksFileAsItIs() throws {
        let csv = """
            id;dev_eui;join_eui;name;frequency_plan_id;lorawan_version;brand_id;model_id;app_key
            node-one;00aa11bb22cc33dd;1111111111111111;Node 1;CN_470_510;MAC_V1_0_3;acme;none;0123456789ABCDEF
            ;00aa11bb22cc33de;1111111111111111;;CN_470_510;MAC_V1_0_3;;;0123456789ABCDEF
            """
        let plan = DeviceImport(csv: csv, catalog: try self.catalog())
        #expect(self.verdicts(plan) == ["2 node-one created site", "3 eui-00aa11bb22cc33de created site"])
        #expect(plan.devices.map(\.model) == ["generic/json", "generic/json"])
        #expect(plan.devices.map(\.address) == ["00AA11BB22CC33DD", "00AA11BB22CC33DE"])
        #expect(plan.sites.map(\.name.zh) == ["Node 1", "eui-00aa11bb22cc33de"])
        let again = DeviceImport(
            csv: csv,
            catalog: try self.catalog(CatalogRegistrations(sites: plan.sites, devices: plan.devices))
        )
        #expect(again.rows.map(\.verdict) == [.unchanged, .unchanged])
        #expect(
            plan.rows.map { $0.notes.map(\.text.en) } == [
                ["model_id: there is no model 'acme/none' here; the device is taken as 'generic/json'"], [],
            ]
        )
        let oneSite = DeviceImport(csv: csv, catalog: try self.catalog(), defaults: .init(site: "x"))
        #expect(oneSite.devices.map(\.site) == ["x", "x"])
        #expect(oneSite.sites.isEmpty)
    }

    /// The folders and files of the LoRaWAN device repository.
    @Test func findsTheModelsThatTheThingsStackNames() throws {
        let csv = """
            id;dev_eui;brand_id;model_id
            a;2CF7F1205390AA01;milesight-iot;em500-swl
            b;2CF7F1205390AA02;sensecap;sensecaps2101-temp-humid
            c;2CF7F1205390AA03;dragino;lse01
            d;;dragino;lse01
            e;2CF7F1205390AA0;dragino;lse01
            f;2CF7F1205390AA06;dragino;
            """
        let catalog = try Catalog(files: CatalogFiles.load(directory: Fixture.devicesDirectory))
        let plan = DeviceImport(csv: csv, catalog: catalog)
        #expect(plan.rows.map(\.verdict) == [.created, .created, .created, .error, .error, .created])
        #expect(
            plan.devices.map(\.model) == ["milesight/em500-swl", "sensecap/s2101", "dragino/lse01", "generic/json"]
        )
        #expect(plan.rows[3].problems.map(\.text.en) == ["dev_eui: the cell is empty; it is required"])
        #expect(plan.rows[4].problems.first?.text.en.contains("is no DevEUI; it has 16") ?? false)
        #expect(plan.rows.map { $0.notes.count } == [0, 0, 0, 0, 0, 1])
        #expect(plan.rows[5].notes.first?.message.zh == "没有型号“dragino/?”；该设备按“generic/json”登记")
    }
}
