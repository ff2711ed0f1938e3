//! What a room is like, and changing it.

use super::{Capacity, Description, RoomName, Slug, Visibility};
use crate::password::PasswordHash;
use crate::time::Timestamp;

/// Is what a room is like: all that its makers decide about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: RoomName,
    /// What it is for.
    pub description: Option<Description>,
    /// Who may see and enter it.
    pub visibility: Visibility,
    /// How many people it takes.
    pub capacity: Capacity,
    /// Whether people wait until they are admitted.
    pub lobby: bool,
    /// Its name in links.
    pub slug: Option<Slug>,
    /// Before this nobody but its owner enters.
    pub opens_at: Option<Timestamp>,
    /// At this it ends.
    pub closes_at: Option<Timestamp>,
}

/// Is what somebody wants changed in a room; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomPatch {
    /// The new name.
    pub name: Option<RoomName>,
    /// The new description; `Some(None)` removes it.
    pub description: Option<Option<Description>>,
    /// Who may see and enter it from now on.
    pub visibility: Option<Visibility>,
    /// The new password: only with [`Visibility::Password`].
    pub password: Option<PasswordHash>,
    /// How many people it takes from now on; who is inside stays.
    pub capacity: Option<Capacity>,
    /// Whether people wait from now on.
    pub lobby: Option<bool>,
    /// The new name in links; `Some(None)` removes it.
    pub slug: Option<Option<Slug>>,
    /// When it opens; `Some(None)` at once.
    pub opens_at: Option<Option<Timestamp>>,
    /// When it ends; `Some(None)` never.
    pub closes_at: Option<Option<Timestamp>>,
}

/// Says whether a room has a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomPassword {
    /// It has none.
    None,
    /// It has one, and keeps it as long as it asks for one.
    Kept,
    /// It gets one now.
    New,
}

/// Says why settings do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The room would end before it opens.
    #[error("must be later than opens_at")]
    EndsBeforeOpening,
    /// A password room has no password.
    #[error("must be given for a room with a password")]
    PasswordMissing,
    /// A room of another kind has one.
    #[error("is only for rooms whose visibility is password")]
    PasswordUnused,
}

impl Settings {
    /// Applies changes to a room whose password is as `kept` says.
    ///
    /// # Errors
    /// [`SettingsError`]: what the changes would make does not go together.
    pub fn apply(self, patch: &RoomPatch, kept: RoomPassword) -> Result<Self, SettingsError> {
        let new = Self {
            name: patch.name.clone().unwrap_or(self.name),
            description: patch.description.clone().unwrap_or(self.description),
            visibility: patch.visibility.unwrap_or(self.visibility),
            capacity: patch.capacity.unwrap_or(self.capacity),
            lobby: patch.lobby.unwrap_or(self.lobby),
            slug: patch.slug.clone().unwrap_or(self.slug),
            opens_at: patch.opens_at.unwrap_or(self.opens_at),
            closes_at: patch.closes_at.unwrap_or(self.closes_at),
        };
        new.check(if patch.password.is_some() { RoomPassword::New } else { kept })?;
        Ok(new)
    }

    /// Checks that settings go together, and with the room's password.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn check(&self, password: RoomPassword) -> Result<(), SettingsError> {
        if let (Some(opens_at), Some(closes_at)) = (self.opens_at, self.closes_at)
            && closes_at <= opens_at
        {
            return Err(SettingsError::EndsBeforeOpening);
        }
        match (self.visibility, password) {
            (Visibility::Password, RoomPassword::None) => Err(SettingsError::PasswordMissing),
            (Visibility::Public | Visibility::Private, RoomPassword::New) => Err(SettingsError::PasswordUnused),
            _ => Ok(()),
        }
    }
}

impl RoomPatch {
    /// Names what it changes, for the record of deeds.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let parts = [
            ("name", self.name.is_some()),
            ("description", self.description.is_some()),
            ("visibility", self.visibility.is_some()),
            ("password", self.password.is_some()),
            ("capacity", self.capacity.is_some()),
            ("lobby", self.lobby.is_some()),
            ("slug", self.slug.is_some()),
            ("opens_at", self.opens_at.is_some()),
            ("closes_at", self.closes_at.is_some()),
        ];
        parts.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            name: RoomName::from_stored("r".into()),
            description: None,
            visibility: Visibility::Public,
            capacity: Capacity::default(),
            lobby: false,
            slug: None,
            opens_at: None,
            closes_at: None,
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        let at = |ms| Some(Some(Timestamp::from_millis(ms)));
        let backwards = RoomPatch { opens_at: at(10), closes_at: at(10), ..RoomPatch::default() };
        assert_eq!(settings().apply(&backwards, RoomPassword::None), Err(SettingsError::EndsBeforeOpening));
        let guarded = RoomPatch { visibility: Some(Visibility::Password), ..RoomPatch::default() };
        assert_eq!(settings().apply(&guarded, RoomPassword::None), Err(SettingsError::PasswordMissing));
        assert!(settings().apply(&guarded, RoomPassword::Kept).is_ok());
        let password = Some(PasswordHash::from_stored(String::new()));
        let unused = RoomPatch { password, ..RoomPatch::default() };
        assert_eq!(settings().apply(&unused, RoomPassword::None), Err(SettingsError::PasswordUnused));
        assert_eq!(unused.names(), ["password"]);
    }
}
