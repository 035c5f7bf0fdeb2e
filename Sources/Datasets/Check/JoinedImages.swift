package import ImagePipeline

/// The pictures of all parts of a report in one row, with the classes of all.
package struct JoinedPictures: ImageDataset {
    private let report: DataReport
    private let places: PicturePlaces

    /// Joins the parts of a report.
    package init(_ report: DataReport) {
        self.report = report
        places = PicturePlaces(report.parts.map(\.dataset))
    }

    package var count: Int { report.count }

    package var classNames: [String] { report.classNames }

    /// The picture at an index, as findings name it.
    package func picture(at index: Int) -> Finding.Picture { places.picture(index) }

    package func label(at index: Int) -> Int { report.label(of: picture(at: index)) }

    package func image(at index: Int) throws(ImageError) -> Image {
        let picture = picture(at: index)
        return try report.parts[picture.part].dataset.image(at: picture.index)
    }

    package func name(at index: Int) -> String { report.name(of: picture(at: index)) }
}
