//! What a room is like, as clients say it: judged field by field.

use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::room::{CreateRoom, UpdateRoom};
use cloudmeet_core::password::{Password, PasswordHash};
use cloudmeet_core::room::{
    Capacity, Description, LinkCode, RoomName, RoomPassword, RoomPatch, Settings, Slug, Visibility,
};
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{Identity, NewRoom, RoomError};

use super::Conference;
use crate::extract::FieldErrors;
use crate::problem::{Code, Problem, Rule};
use crate::random;

impl Conference {
    /// Judges a new room.
    pub(super) async fn new_room(&self, who: &Identity, body: CreateRoom) -> Result<NewRoom, Problem> {
        let (settings, password) = judge(body, FieldErrors::default())?;
        // Before a password costs a hash.
        settings
            .check(if password.is_some() { RoomPassword::New } else { RoomPassword::None })
            .map_err(|error| Problem::from(RoomError::from(error)))?;
        Ok(NewRoom { settings, password: self.hash(who, password).await?, link_code: new_link_code() })
    }

    /// Judges changes of a room, each by itself; whether they go together says the store.
    pub(super) async fn patch(&self, who: &Identity, body: UpdateRoom) -> Result<RoomPatch, Problem> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", body.name.as_deref().map(RoomName::parse).transpose());
        let description = body.description.map(|text| text.as_deref().map_or(Ok(None), Description::parse)).transpose();
        let description = errors.take("description", description);
        let capacity = errors.take("capacity", body.capacity.map(capacity).transpose());
        let slug = body.slug.map(|slug| slug.as_deref().map(Slug::parse).transpose()).transpose();
        let slug = errors.take("slug", slug);
        let password = body.password.map(Password::typed);
        errors.take("password", password.as_ref().map_or(Ok(()), Password::check_new_of_room));
        errors.check()?;
        let (Some(name), Some(description), Some(capacity), Some(slug)) = (name, description, capacity, slug) else {
            return Err(Code::Invalid.into());
        };
        let time = |time: Option<WireTime>| time.map(|time| time.0);
        Ok(RoomPatch {
            name,
            description,
            visibility: body.visibility.map(Visibility::from),
            password: self.hash(who, password).await?,
            capacity,
            lobby: body.lobby,
            slug,
            opens_at: body.opens_at.map(time),
            closes_at: body.closes_at.map(time),
        })
    }

    async fn hash(&self, who: &Identity, password: Option<Password>) -> Result<Option<PasswordHash>, Problem> {
        let Some(password) = password else { return Ok(None) };
        self.limits.room_password(who.user_id, self.store.now()).await.map_err(Problem::rate_limited)?;
        Ok(Some(self.hashes.hash(password, random::bytes()).await?))
    }
}

/// Judges what a new room is to be like; whether it goes together is another question. Fields that were judged
/// before are told of with those of this.
pub(super) fn judge(body: CreateRoom, mut errors: FieldErrors) -> Result<(Settings, Option<Password>), Problem> {
    let name = errors.take("name", RoomName::parse(&body.name));
    let description = errors.take("description", body.description.as_deref().map_or(Ok(None), Description::parse));
    let capacity = errors.take("capacity", body.capacity.map_or(Ok(Capacity::default()), capacity));
    let slug = errors.take("slug", body.slug.as_deref().map(Slug::parse).transpose());
    let password = body.password.map(Password::typed);
    errors.take("password", password.as_ref().map_or(Ok(()), Password::check_new_of_room));
    let by_password = if password.is_some() { Visibility::Password } else { Visibility::Public };
    let visibility = body.visibility.map_or(by_password, Visibility::from);
    let (opens_at, closes_at) = (body.opens_at.map(|time| time.0), body.closes_at.map(|time| time.0));
    errors.check()?;
    let (Some(name), Some(description), Some(capacity), Some(slug)) = (name, description, capacity, slug) else {
        return Err(Code::Invalid.into());
    };
    let lobby = body.lobby.unwrap_or(false);
    let settings = Settings { name, description, visibility, capacity, lobby, slug, opens_at, closes_at };
    Ok((settings, password))
}

/// Makes a link code: as hard to guess as a session's token.
pub(super) fn new_link_code() -> LinkCode {
    LinkCode::new(OpaqueToken::from_random(random::bytes()).reveal().to_owned())
}

fn capacity(people: i64) -> Result<Capacity, Rule> {
    Capacity::new(people).ok_or(Rule::OutOfRange { min: Capacity::MIN, max: Some(Capacity::MAX) })
}
