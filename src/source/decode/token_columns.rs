//! The columns of a list of tokens, as the token APIs name them and as people do: names in, what is missing out.
//!
//! A list is read in full or refused. A column that a list does not have leaves the fact unknown; but where a needed column
//! is missing and others are not understood, one of those is probably the missing one, and half a list would be read.
//! The formatter would write every name on a line of its own, so it leaves the lists alone.

use super::spelling::{plain, untyped};

/// One fact of a token, and the columns that hold it.
pub(super) struct Column {
    /// Name that the token APIs give it.
    pub api: &'static str,
    /// Its names in plain spelling, the API's first.
    pub names: &'static [&'static str],
}

#[rustfmt::skip]
pub(super) const TOKEN_ID: Column = Column {
    api: "authorizationId",
    names: &[
        "authorizationid", "tokenid", "patid", "patauthorizationid", "authid", "idautorizacao", "iddeautorizacao",
        "idautorizacion", "iddeautorizacion", "idautorisation", "iddautorisation", "autorisierungsid",
        "idautorizzazione", "autorisatieid",
    ],
};
#[rustfmt::skip]
pub(super) const NAME: Column = Column {
    api: "displayName",
    names: &[
        "displayname", "name", "patname", "tokenname", "pat", "title", "label", "nome", "nomedopat", "nomepat",
        "nomedotoken", "nometoken", "nomeexibicao", "nombre", "nombredelpat", "nombretoken", "nom", "nomdujeton",
        "nompat", "libelle", "bezeichnung", "anzeigename", "tokennaam", "naam", "nometokens",
    ],
};
#[rustfmt::skip]
pub(super) const SCOPES: Column = Column {
    api: "scope",
    names: &[
        "scope", "scopes", "patscope", "patscopes", "tokenscope", "tokenscopes", "grantedscopes", "permissions",
        "permission", "escopo", "escopos", "permissoes", "permissao", "ambito", "ambitos", "alcance", "alcances",
        "permisos", "etendue", "etendues", "portee", "portees", "autorisations", "permessi", "ambiti", "berechtigung",
        "berechtigungen", "bereich", "bereiche", "geltungsbereich", "bereik", "rechten",
    ],
};
#[rustfmt::skip]
pub(super) const TARGETS: Column = Column {
    api: "targetAccounts",
    names: &[
        "targetaccounts", "targetaccount", "targetorganizations", "targetorganisations", "targetorganization",
        "targetorganisation", "targetorgs", "targetorg", "organizacoesalvo", "organizacaoalvo", "contasalvo",
        "organizacionesdestino", "organizaciondestino", "cuentasdestino", "organisationscibles", "organisationcible",
        "comptescibles", "zielorganisationen", "zielorganisation", "zielkonten", "organizzazionididestinazione",
        "organizzazionidestinazione", "doelorganisaties",
    ],
};
#[rustfmt::skip]
pub(super) const VALID_FROM: Column = Column {
    api: "validFrom",
    names: &[
        "validfrom", "created", "createdon", "createdat", "createddate", "creationdate", "datecreated",
        "creationtime", "issued", "issuedon", "startdate", "criado", "criadoem", "criacao", "datacriacao",
        "datadecriacao", "validode", "creado", "creadoel", "fechacreacion", "fechadecreacion", "cree", "creele",
        "creation", "datecreation", "datedecreation", "erstellt", "erstelltam", "erstellungsdatum", "gueltigab",
        "gultigab", "gultigvon", "creato", "creatoil", "datacreazione", "datadicreazione", "aangemaakt",
        "aangemaaktop", "aanmaakdatum",
    ],
};
#[rustfmt::skip]
pub(super) const VALID_TO: Column = Column {
    api: "validTo",
    names: &[
        "validto", "validuntil", "expires", "expireson", "expiresat", "expiry", "expirydate", "expiration",
        "expirationdate", "expirationtime", "expiredate", "enddate", "expira", "expiraem", "expiracao",
        "dataexpiracao", "datadeexpiracao", "validoate", "validade", "vencimento", "caduca", "caducidad",
        "fechacaducidad", "fechaexpiracion", "fechadeexpiracion", "fechavencimiento", "fechadevencimiento",
        "vencimiento", "expire", "expirele", "dateexpiration", "datedexpiration", "echeance", "lauftab", "lauftabam",
        "ablauf", "ablaufdatum", "gueltigbis", "gultigbis", "scade", "scadeil", "scadenza", "datascadenza",
        "datadiscadenza", "verloopt", "verlooptop", "verloopdatum", "vervaldatum",
    ],
};
#[rustfmt::skip]
pub(super) const OWNER_UPN: Column = Column {
    api: "principalName",
    names: &[
        "ownerupn", "principalname", "userprincipalname", "upn", "mailaddress", "email", "emailaddress", "mail",
        "useremail", "owneremail", "userupn", "ownermail", "correio", "correo", "correoelectronico", "courriel",
        "adressemail", "emailadresse",
    ],
};
#[rustfmt::skip]
pub(super) const OWNER_NAME: Column = Column {
    api: "ownerName",
    names: &[
        "ownername", "ownerdisplayname", "owner", "username", "user", "userdisplayname", "dev", "developer",
        "usuario", "utilizador", "proprietario", "dono", "desenvolvedor", "propietario", "desarrollador",
        "utilisateur", "proprietaire", "benutzer", "besitzer", "eigentumer", "utente", "gebruiker", "eigenaar",
    ],
};
pub(super) const USER_ID: Column =
    Column { api: "userId", names: &["userid", "ownerid", "storagekey", "userstoragekey"] };
pub(super) const IS_VALID: Column = Column { api: "isValid", names: &["isvalid", "valid"] };
#[rustfmt::skip]
pub(super) const STATUS: Column = Column {
    api: "status",
    names: &["status", "state", "estado", "etat", "statut", "zustand", "stato", "situacao"],
};
#[rustfmt::skip]
pub(super) const ORG: Column = Column {
    api: "organization",
    names: &[
        "org", "organization", "organisation", "orgname", "organizationname", "organisationname", "organizacao",
        "organizacion", "organizzazione", "organisatie", "azuredevopsorganization", "azdoorganization",
    ],
};

/// Columns that the APIs have too and that say nothing patwatch reads, or that are read by their one name.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "clientid", "accessid", "hostauthorizationid", "ispublic", "publicdata", "source", "claims", "token",
    "alternatetoken", "pattoken", "pattokenerror", "count", "type",
];

const ALL: [&Column; 12] = [
    &TOKEN_ID,
    &NAME,
    &SCOPES,
    &TARGETS,
    &VALID_FROM,
    &VALID_TO,
    &OWNER_UPN,
    &OWNER_NAME,
    &USER_ID,
    &IS_VALID,
    &STATUS,
    &ORG,
];

/// Facts without which a list says too little: the name, what the token may do, and its end.
pub(super) const NEEDED: [&Column; 3] = [&NAME, &SCOPES, &VALID_TO];

impl Column {
    fn is_in(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.is(name))
    }

    fn is(&self, name: &str) -> bool {
        self.names.contains(&name)
            || untyped_plain(name).is_some_and(|name| self.names.contains(&name.as_str()))
    }
}

fn untyped_plain(name: &str) -> Option<String> {
    untyped(name).map(plain)
}

/// Returns the name that the token APIs give the fact whose first plain name this is; the name itself for other facts.
pub(super) fn api_name(first: &'static str) -> &'static str {
    ALL.iter().find(|column| column.names.first() == Some(&first)).map_or(first, |column| column.api)
}

/// Returns true if a plain name is that of the column with the ids of tokens.
pub(super) fn is_authorization_id(plain: &str) -> bool {
    TOKEN_ID.names.contains(&plain)
}

/// Says what keeps a list of tokens with these columns from being read in full; nothing where nothing does.
pub(super) fn what_is_missing<'n>(columns: impl Iterator<Item = &'n str>) -> Option<String> {
    let written: Vec<&str> = columns.collect();
    let names: Vec<String> = written.iter().map(|name| respelled(name)).collect();
    let without_id = !TOKEN_ID.is_in(&names);
    let missing: Vec<&str> =
        NEEDED.iter().filter(|column| !column.is_in(&names)).map(|column| column.api).collect();
    let known = |name: &String| ALL.iter().any(|column| column.is(name)) || OTHERS.contains(&name.as_str());
    let unknown: Vec<&str> =
        written.iter().zip(&names).filter(|(_, name)| !known(name)).map(|(written, _)| *written).collect();
    if without_id {
        return Some("no column authorizationId".to_owned());
    }
    if missing.is_empty() || unknown.is_empty() {
        return None;
    }
    Some(format!("no column {}; not understood: {}", missing.join(", "), unknown.join(", ")))
}

/// Returns true if the columns are those of a list of tokens, with or without their ids.
pub(super) fn look_like_tokens<'n>(columns: impl Iterator<Item = &'n str>) -> bool {
    let names: Vec<String> = columns.map(respelled).collect();
    TOKEN_ID.is_in(&names)
        || SCOPES.is_in(&names) && VALID_TO.is_in(&names) && (NAME.is_in(&names) || VALID_FROM.is_in(&names))
}

/// The plain spelling of a column; its type stays, since `scope_s` is not `scopes`.
fn respelled(name: &str) -> String {
    match untyped(name) {
        Some(stem) => format!("{}{}", plain(stem), name[stem.len()..].to_ascii_lowercase()),
        None => plain(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(columns: &str) -> Option<String> {
        what_is_missing(columns.split(','))
    }

    #[test]
    fn a_list_is_read_in_full_or_refused() {
        for columns in [
            "authorizationId,displayName,scope,validTo",
            "AuthorizationId_g,displayName_s,scope_s,validTo_t,Notes_s",
            "Organização,Dev,E-mail,PAT,Escopo,Criado,Expira,Status,DiasParaExpirar,OrganizaçõesAlvo,AuthorizationId",
            "Token ID,Name,Permissions,Expiration Date,Team",
            // What a list leaves out is unknown; nothing of it was overlooked.
            "authorizationId,displayName,scope,ownerUpn,isPublic,targetAccounts",
        ] {
            assert_eq!(missing(columns), None, "{columns}");
        }
        assert_eq!(missing("displayName,scope,validTo").as_deref(), Some("no column authorizationId"));
        assert_eq!(
            missing("authorizationId,displayName,Rajaus,Päättyy").as_deref(),
            Some("no column scope, validTo; not understood: Rajaus, Päättyy")
        );
    }

    #[test]
    fn lists_are_known_without_their_ids() {
        assert!(look_like_tokens("Nome,Escopo,Expira".split(',')));
        assert!(look_like_tokens("x,authorization_id".split(',')));
        assert!(!look_like_tokens("displayName,principalName,descriptor".split(',')));
        assert!(!look_like_tokens("Date,Amount".split(',')));
    }

    #[test]
    fn names_are_in_plain_spelling_and_stand_for_one_fact() {
        let mut seen = std::collections::BTreeSet::new();
        for column in ALL {
            for name in column.names {
                assert!(seen.insert(*name), "{name} stands for two facts");
            }
        }
        assert!(seen.iter().all(|name| plain(name) == *name), "{seen:?}");
    }
}
