//! Arrays of equal elements in a proof.

/// What a slot is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// `x ‖ y`, 64 bytes, on the curve, not the identity.
    Point,
    /// A canonical scalar, 32 bytes.
    Scalar,
}

impl Element {
    /// Length in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::Point => 64,
            Self::Scalar => 32,
        }
    }
}

/// An array of equal elements at a fixed place of the proof. It may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<Id> {
    /// Its name.
    pub id: Id,
    /// Kind of its elements.
    pub element: Element,
    /// Number of elements.
    pub count: usize,
    /// Byte offset of the first element from the start of the proof.
    pub offset: usize,
}

impl<Id: std::fmt::Debug> Slot<Id> {
    /// The same slot with its name as text.
    pub fn named(&self) -> Slot<String> {
        Slot { id: format!("{:?}", self.id), element: self.element, count: self.count, offset: self.offset }
    }
}

impl<Id> Slot<Id> {
    /// Byte offset just after the slot.
    pub const fn end(&self) -> usize {
        self.offset + self.count * self.element.size()
    }

    /// Byte offset of an element, if there is one of that index.
    pub fn at(&self, index: usize) -> Option<usize> {
        (index < self.count).then(|| self.offset + index * self.element.size())
    }
}
