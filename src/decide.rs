//! Deciding apart from doing: what a command asks for next, given what is known so far.
//!
//! A command's decision is an ordinary function, read from top to bottom, without the network. It
//! asks through a [`Replay`] of what is [`Known`]; where the answers end, the question comes out
//! through `?` as the [`Next`] thing to do. The service does it, adds the answer, and asks again
//! from the start: no state but the answers, so that a decision can be tested by giving it answers,
//! and can be taken up again anywhere.

use crate::{
    outcome::Outcome,
    scim::{self, Group, Headers, Id, ListResponse, Member, Object, Page, PatchOp, Request, User},
};

/// The next thing to do.
#[derive(Debug)]
pub enum Next {
    /// Read from the directory.
    Read(Read),
    /// Write to the directory.
    Write(Step),
    /// Nothing more: this came of it.
    Finish(Box<Outcome>),
}

/// A question to the directory. Each is one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// The user of this id.
    UserById(Id),
    /// The users of this userName.
    UsersByName(String),
    /// The users of this externalId.
    UsersByExternalId(String),
    /// The group of this id.
    GroupById(Id),
    /// The groups of this displayName.
    GroupsByName(String),
    /// A page of the users that are members of this group.
    Members(Id, Page),
    /// Any one user: the cheapest question that proves URL, tenant, token and rights.
    Probe,
    /// The operation that was accepted later and has disabled the user of this id. The one question
    /// that is not the directory's to answer, and no request.
    NewerDisable(Id),
}

/// A change to the directory. Each is one request.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names of the requests say it")]
pub enum Step {
    CreateUser(Object),
    PatchUser(Id, PatchOp),
    CreateGroup(Object),
    PatchGroup(Id, PatchOp),
    DeleteGroup(Id),
}

impl Step {
    /// The request that makes the change.
    pub fn request(&self) -> Request {
        match self {
            Self::CreateUser(attributes) => Request::create_user(attributes),
            Self::PatchUser(id, changes) => Request::patch_user(id, changes),
            Self::CreateGroup(attributes) => Request::create_group(attributes),
            Self::PatchGroup(id, changes) => Request::patch_group(id, changes),
            Self::DeleteGroup(id) => Request::delete_group(id),
        }
    }
}

/// What the directory answered to one question or change.
pub type Answer = Result<Reply, scim::ScimError>;

/// A good answer. Which one belongs to which question is said beside each.
#[derive(Clone, Debug)]
pub enum Reply {
    /// [`Read::UserById`], [`Step::CreateUser`], [`Step::PatchUser`].
    User(User),
    /// [`Step::PatchUser`] where the directory does not show the result.
    NoBody,
    /// [`Read::UsersByName`], [`Read::UsersByExternalId`], [`Read::Probe`].
    Users(ListResponse<User>),
    /// [`Read::Members`]: of each user only what is shown, since a group may have thousands.
    Members(ListResponse<Member>),
    /// [`Read::GroupById`], [`Step::CreateGroup`].
    Group(Group),
    /// [`Read::GroupsByName`].
    Groups(ListResponse<Group>),
    /// [`Step::PatchGroup`], [`Step::DeleteGroup`].
    Headers(Headers),
    /// [`Read::NewerDisable`]: the id of that operation, if there is one.
    NewerDisable(Option<String>),
}

/// What the directory has answered so far, in order.
#[derive(Debug, Default)]
pub struct Known {
    /// The answers to what the decision asked for, in the order it asked.
    pub answers: Vec<Answer>,
    /// Nothing is to be written: answers to changes are assumed.
    pub dry_run: bool,
    /// An attempt before this one died, and may have written: what it would have made counts as a
    /// write whose answer got lost.
    pub retried: bool,
    /// The command is a stored operation, which others may have overtaken.
    pub is_stored: bool,
}

impl Known {
    /// The answers from the first on.
    pub fn replay(&self) -> Replay<'_> {
        Replay {
            known: self,
            position: 0,
            start: 0,
        }
    }
}

/// Answers being told again to a decision.
#[derive(Debug)]
pub struct Replay<'a> {
    known: &'a Known,
    position: usize,
    /// Where it began.
    start: usize,
}

/// An answer, or, through the outer error, the next thing to do.
pub type Asked<'a, T> = Result<Result<T, &'a scim::ScimError>, Next>;

impl<'a> Replay<'a> {
    /// True in a dry run, where a decision looks before it writes.
    pub fn is_dry_run(&self) -> bool {
        self.known.dry_run
    }

    /// True when an attempt before this one may have written.
    pub fn is_retried(&self) -> bool {
        self.known.retried
    }

    /// The operation that was accepted later and has disabled the user of this id; none for a
    /// command that is not stored.
    pub fn newer_disable(&mut self, id: &Id) -> Asked<'a, Option<&'a str>> {
        if !self.known.is_stored {
            return Ok(Ok(None));
        }
        let disable = |reply: &'a Reply| match reply {
            Reply::NewerDisable(disable) => Some(disable.as_deref()),
            Reply::User(_)
            | Reply::NoBody
            | Reply::Users(_)
            | Reply::Members(_)
            | Reply::Group(_)
            | Reply::Groups(_)
            | Reply::Headers(_) => None,
        };
        self.answer(|| Next::Read(Read::NewerDisable(id.clone())), disable)
    }

    /// How many answers the decision has dealt with so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Goes on behind this many answers, which a decision has dealt with before.
    pub fn resume_at(&mut self, position: usize) {
        self.position = position;
        self.start = position;
    }

    /// How many answers were told in this replay: what a decision costs.
    pub fn told(&self) -> usize {
        self.position - self.start
    }

    /// The failure that an answer at this position has told.
    ///
    /// # Panics
    /// When the answer is a good one: a decision keeps positions of failures only.
    pub fn error_at(&self, position: usize) -> &'a scim::ScimError {
        let answer = &self.known.answers[position];
        answer.as_ref().expect_err("a failure stands at its position")
    }

    /// The user of this id.
    pub fn user_by_id(&mut self, id: &Id) -> Asked<'a, &'a User> {
        self.answer(|| Next::Read(Read::UserById(id.clone())), Reply::as_user)
    }

    /// The users of this userName.
    pub fn users_by_name(&mut self, name: &str) -> Asked<'a, &'a [User]> {
        self.answer(
            || Next::Read(Read::UsersByName(name.to_owned())),
            |reply| Some(&reply.as_users()?.resources[..]),
        )
    }

    /// The users of this externalId.
    pub fn users_by_external_id(&mut self, id: &str) -> Asked<'a, &'a [User]> {
        let users = |reply: &'a Reply| Some(&reply.as_users()?.resources[..]);
        self.answer(|| Next::Read(Read::UsersByExternalId(id.to_owned())), users)
    }

    /// A page of a group's members.
    pub fn members(&mut self, group: &Id, page: Page) -> Asked<'a, &'a ListResponse<Member>> {
        self.answer(|| Next::Read(Read::Members(group.clone(), page)), Reply::as_members)
    }

    /// Any one user.
    pub fn probe(&mut self) -> Asked<'a, &'a ListResponse<User>> {
        self.answer(|| Next::Read(Read::Probe), Reply::as_users)
    }

    /// The group of this id.
    pub fn group_by_id(&mut self, id: &Id) -> Asked<'a, &'a Group> {
        self.answer(|| Next::Read(Read::GroupById(id.clone())), Reply::as_group)
    }

    /// The groups of this displayName.
    pub fn groups_by_name(&mut self, name: &str) -> Asked<'a, &'a [Group]> {
        let groups = |reply: &'a Reply| match reply {
            Reply::Groups(groups) => Some(&groups.resources[..]),
            Reply::User(_)
            | Reply::NoBody
            | Reply::Users(_)
            | Reply::Members(_)
            | Reply::Group(_)
            | Reply::Headers(_)
            | Reply::NewerDisable(_) => None,
        };
        self.answer(|| Next::Read(Read::GroupsByName(name.to_owned())), groups)
    }

    /// Creates a user.
    pub fn create_user(&mut self, attributes: impl FnOnce() -> Object) -> Asked<'a, &'a User> {
        self.answer(|| Next::Write(Step::CreateUser(attributes())), Reply::as_user)
    }

    /// Changes a user; `None` where the directory does not show the result.
    pub fn patch_user(&mut self, id: &Id, changes: impl FnOnce() -> PatchOp) -> Asked<'a, Option<&'a User>> {
        let user = |reply: &'a Reply| {
            if matches!(reply, Reply::NoBody) {
                Some(None)
            } else {
                reply.as_user().map(Some)
            }
        };
        self.answer(|| Next::Write(Step::PatchUser(id.clone(), changes())), user)
    }

    /// Creates a group.
    pub fn create_group(&mut self, attributes: impl FnOnce() -> Object) -> Asked<'a, &'a Group> {
        self.answer(|| Next::Write(Step::CreateGroup(attributes())), Reply::as_group)
    }

    /// Changes a group.
    pub fn patch_group(&mut self, id: &Id, changes: impl FnOnce() -> PatchOp) -> Asked<'a, &'a Headers> {
        self.answer(
            || Next::Write(Step::PatchGroup(id.clone(), changes())),
            Reply::as_headers,
        )
    }

    /// Deletes a group.
    pub fn delete_group(&mut self, id: &Id) -> Asked<'a, &'a Headers> {
        self.answer(|| Next::Write(Step::DeleteGroup(id.clone())), Reply::as_headers)
    }

    /// The next answer, if it is known; else the question, built only then: a long command is
    /// replayed often.
    fn answer<T>(
        &mut self,
        question: impl FnOnce() -> Next,
        read: impl FnOnce(&'a Reply) -> Option<T>,
    ) -> Asked<'a, T> {
        let Some(answer) = self.known.answers.get(self.position) else {
            return Err(question());
        };
        self.position += 1;
        // Decisions ask the same questions at every replay, and the service answers each in its own
        // kind.
        Ok(answer
            .as_ref()
            .map(|reply| read(reply).expect("an answer is of its question's kind")))
    }
}

impl Reply {
    fn as_user(&self) -> Option<&User> {
        if let Self::User(user) = self { Some(user) } else { None }
    }

    fn as_users(&self) -> Option<&ListResponse<User>> {
        if let Self::Users(users) = self {
            Some(users)
        } else {
            None
        }
    }

    fn as_members(&self) -> Option<&ListResponse<Member>> {
        if let Self::Members(members) = self {
            Some(members)
        } else {
            None
        }
    }

    fn as_group(&self) -> Option<&Group> {
        if let Self::Group(group) = self {
            Some(group)
        } else {
            None
        }
    }

    fn as_headers(&self) -> Option<&Headers> {
        if let Self::Headers(headers) = self {
            Some(headers)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::{ErrorKind, Operation};

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    fn user(id: &str) -> User {
        User::read(json!({"id": id, "userName": "test"})).unwrap()
    }

    fn list<T>(resources: Vec<T>) -> ListResponse<T> {
        ListResponse {
            resources,
            next_cursor: None,
        }
    }

    fn group() -> Group {
        Group::read(json!({"id": "g-1", "displayName": "Admins"})).unwrap()
    }

    #[test]
    fn without_an_answer_the_question_comes_out() {
        let known = Known::default();
        let object = || Object::from_iter([("userName".to_owned(), json!("test"))]);
        let changes = || PatchOp::new(vec![Operation::replace("active", true)]);
        let read = |next: Option<Next>| match next {
            Some(Next::Read(read)) => read,
            next @ (None | Some(Next::Write(_) | Next::Finish(_))) => panic!("{next:?}"),
        };
        let write = |next: Option<Next>| match next {
            Some(Next::Write(step)) => step,
            next @ (None | Some(Next::Read(_) | Next::Finish(_))) => panic!("{next:?}"),
        };
        let reads = [
            (known.replay().user_by_id(&id("u-1")).err(), Read::UserById(id("u-1"))),
            (
                known.replay().users_by_name("test").err(),
                Read::UsersByName("test".into()),
            ),
            (
                known.replay().users_by_external_id("E7").err(),
                Read::UsersByExternalId("E7".into()),
            ),
            (
                known.replay().members(&id("g-1"), Page::First).err(),
                Read::Members(id("g-1"), Page::First),
            ),
            (known.replay().probe().err(), Read::Probe),
            (known.replay().group_by_id(&id("g-1")).err(), Read::GroupById(id("g-1"))),
            (
                known.replay().groups_by_name("Admins").err(),
                Read::GroupsByName("Admins".into()),
            ),
        ];
        for (next, expected) in reads {
            assert_eq!(read(next), expected);
        }
        let writes = [
            (
                known.replay().create_user(object).err(),
                Step::CreateUser(object()),
                "POST",
            ),
            (
                known.replay().patch_user(&id("u-1"), changes).err(),
                Step::PatchUser(id("u-1"), changes()),
                "PATCH",
            ),
            (
                known.replay().create_group(object).err(),
                Step::CreateGroup(object()),
                "POST",
            ),
            (
                known.replay().patch_group(&id("g-1"), changes).err(),
                Step::PatchGroup(id("g-1"), changes()),
                "PATCH",
            ),
            (
                known.replay().delete_group(&id("g-1")).err(),
                Step::DeleteGroup(id("g-1")),
                "DELETE",
            ),
        ];
        for (next, expected, method) in writes {
            let step = write(next);
            assert_eq!(step, expected);
            assert_eq!(step.request().method, method);
        }
    }

    #[test]
    fn a_step_is_one_request() {
        let changes = PatchOp::new(vec![Operation::replace("displayName", "x")]);
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "displayName", "value": "x"}],
        });
        let object = Object::from_iter([("displayName".to_owned(), json!("x"))]);
        let rows = [
            (
                Step::CreateUser(object.clone()),
                "POST",
                "/Users",
                Some(json!({"displayName": "x"})),
            ),
            (
                Step::PatchUser(id("u-1"), changes.clone()),
                "PATCH",
                "/Users/u-1",
                Some(body.clone()),
            ),
            (
                Step::CreateGroup(object),
                "POST",
                "/Groups",
                Some(json!({"displayName": "x"})),
            ),
            (Step::PatchGroup(id("g-1"), changes), "PATCH", "/Groups/g-1", Some(body)),
            (Step::DeleteGroup(id("g-1")), "DELETE", "/Groups/g-1", None),
        ];
        for (step, method, path, body) in rows {
            let request = step.request();
            assert_eq!((request.method.as_str(), request.path().as_str()), (method, path));
            assert_eq!(request.body, body);
        }
    }

    #[test]
    fn answers_are_told_in_their_order() {
        let known = Known {
            answers: vec![
                Ok(Reply::Users(list(vec![]))),
                Ok(Reply::User(user("u-1"))),
                Ok(Reply::NoBody),
                Err(scim::ScimError::new(ErrorKind::Absent, "gone")),
                Ok(Reply::Group(group())),
                Ok(Reply::Groups(list(vec![group()]))),
                Ok(Reply::Headers(Headers::default())),
                Ok(Reply::Users(list(vec![user("u-2")]))),
                Ok(Reply::Members(list(vec![Member::of(&user("u-3"))]))),
                Ok(Reply::Headers(Headers::default())),
                Err(scim::ScimError::new(ErrorKind::CircuitOpen, "down")),
            ],
            ..Known::default()
        };
        let none = || PatchOp::new(vec![]);
        // Twice: a replay starts from the first answer, whatever was told before.
        for _ in 0..2 {
            let mut replay = known.replay();
            assert!(replay.users_by_name("test").unwrap().unwrap().is_empty());
            assert_eq!(replay.create_user(Object::new).unwrap().unwrap().id(), Some(id("u-1")));
            assert_eq!(replay.patch_user(&id("u-1"), none).unwrap().unwrap(), None);
            assert_eq!(
                replay.user_by_id(&id("u-1")).unwrap().unwrap_err().kind,
                ErrorKind::Absent
            );
            assert_eq!(replay.group_by_id(&id("g-1")).unwrap().unwrap(), &group());
            assert_eq!(replay.groups_by_name("Admins").unwrap().unwrap(), [group()]);
            assert_eq!(
                replay.patch_group(&id("g-1"), none).unwrap().unwrap(),
                &Headers::default()
            );
            assert_eq!(replay.users_by_external_id("E7").unwrap().unwrap(), [user("u-2")]);
            let members = replay.members(&id("g-1"), Page::First).unwrap().unwrap();
            assert_eq!(members.resources, [Member::of(&user("u-3"))]);
            assert_eq!(replay.delete_group(&id("g-1")).unwrap().unwrap(), &Headers::default());
            assert_eq!(
                replay.create_group(Object::new).unwrap().unwrap_err().kind,
                ErrorKind::CircuitOpen
            );
            assert!(matches!(replay.probe(), Err(Next::Read(Read::Probe))));
        }
    }

    #[test]
    fn a_body_is_built_only_when_it_is_asked_for() {
        let known = Known {
            answers: vec![Ok(Reply::User(user("u-1")))],
            ..Known::default()
        };
        let answered = known.replay().create_user(|| panic!("the answer is known")).unwrap();
        assert_eq!(answered.unwrap(), &user("u-1"));
    }

    #[test]
    fn a_dry_run_is_known_to_be_one() {
        for dry_run in [false, true] {
            let known = Known {
                dry_run,
                ..Known::default()
            };
            assert_eq!(known.replay().is_dry_run(), dry_run);
        }
    }
}
