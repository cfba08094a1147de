package blocklet

// user is who made or changed an endpoint, as hooktape notes it. All else that
// clients ask about a user is null, and the types below are there to be asked.
type user struct {
	Did, FullName, Avatar string

	Pk, Role, Email, Phone, Locale, Name, Remark, URL, Inviter *string
	LastLoginIP, SourceProvider, SourceAppPid, CreatedByAppPid *string
	Approved, EmailVerified, PhoneVerified, IsFollowing        *bool
	CreatedAt, UpdatedAt, FirstLoginAt, LastLoginAt            *value
	Generation, UserSessionsCount                              *value
	Extra, DidSpace                                            *value
	Passports                                                  *[]passport
	ConnectedAccounts                                          *[]account
	Tags                                                       *[]tag
	UserSessions                                               *[]session
	Metadata                                                   *profile
	Address                                                    *address
}

type baseUser struct {
	Did, Pk, Role, Avatar, FullName, Email, Locale *string
	Approved                                       *bool
	CreatedAt, UpdatedAt                           *value
}

type passport struct {
	ID, Name, Title, IssuanceDate, ExpirationDate, Status, Role *string
	LastLoginAt, Scope, Source, ParentDid, UserDid              *string
	Type                                                        *[]string
	Issuer                                                      *struct{ ID, Name, Pk *string }
	Display                                                     *struct{ Type, Content *string }
	User                                                        *baseUser
}

type account struct {
	Provider, Did, Pk, ID, LastLoginAt *string
	Extra                              *value
	UserInfo                           *struct {
		Name, Picture, Email, Sub *string
		EmailVerified             *bool
		ExtraData                 *value
	}
}

type tag struct {
	ID, ParentID, CreatedAt, UpdatedAt                                        *value
	Title, Description, Color, Slug, Type, ComponentDid, CreatedBy, UpdatedBy *string
}

type session struct {
	ID, VisitorID, AppPid, UserDid, Ua, PassportID, Status, LastLoginIP, CreatedByAppPid *string
	Extra, CreatedAt, UpdatedAt                                                          *value
}

type profile struct {
	Bio, Location, Timezone, Cover *string
	Links                          *[]link
	Phone                          *struct{ Country, PhoneNumber *string }
	Status                         *struct {
		Label, Icon, Duration *string
		DateRange             *[]value
	}
}

type link struct{ URL, Favicon *string }

type address struct{ Country, Province, City, PostalCode, Line1, Line2 *string }
