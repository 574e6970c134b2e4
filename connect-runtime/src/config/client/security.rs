//! Encryption and authentication, as Java clients are told of them, for librdkafka.

use super::{
    jaas::Jaas,
    settings::{Setting, Settings},
    translate::Translation,
};

/// Takes `security.protocol`, `sasl.*` and `ssl.*` out of the settings and translates them.
pub(super) fn translate(settings: &mut Settings, translation: &mut Translation) {
    let (mut tls, mut sasl) = (false, false);
    let protocol = settings.take("security.protocol");
    if let Some(protocol) = &protocol {
        match protocol.text().to_ascii_uppercase().as_str() {
            "PLAINTEXT" => {}
            "SSL" => tls = true,
            "SASL_PLAINTEXT" => sasl = true,
            "SASL_SSL" => (tls, sasl) = (true, true),
            _ => {
                let reason = "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL";
                translation.problems.push(protocol.refuse("security.protocol", reason));
            }
        }
        translation.set_from("security.protocol", protocol.text().to_ascii_lowercase(), ("security.protocol", protocol));
    }
    without_effect(settings, (tls, sasl), protocol.as_ref(), translation);
    authentication(settings, sasl, protocol.as_ref(), translation);
    encryption(settings, tls, translation);
}

/// How one signs in, and whom to trust, where the protocol does neither: nobody means that.
fn without_effect(settings: &Settings, (tls, sasl): (bool, bool), protocol: Option<&Setting>, translation: &mut Translation) {
    let signs_in = ["sasl.mechanism", "sasl.jaas.config"].map(|key| (key, "SASL_SSL", sasl));
    let trusts = ["ssl.truststore.location", "ssl.keystore.location"].map(|key| (key, "SSL", tls));
    let idle = signs_in.into_iter().chain(trusts).filter(|(.., used)| !used);
    let found =
        idle.filter_map(|(key, needed, _)| Some((key, needed, settings.get(key)?))).find(|(.., setting)| setting.is_written());
    let Some((key, needed, setting)) = found else { return };
    let used = protocol.map_or("PLAINTEXT", Setting::text);
    let message = |written_as: &str| {
        let protocol = written_as.replace(key, "security.protocol");
        format!("{written_as} changes nothing with {protocol}={used}, which is used: set {protocol}={needed}")
    };
    translation.warnings.push(setting.remark(key, message));
}

const CALLBACKS: [&str; 4] = [
    "sasl.client.callback.handler.class",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.server.callback.handler.class",
];

fn authentication(settings: &mut Settings, used: bool, protocol: Option<&Setting>, translation: &mut Translation) {
    let mechanism = settings.take("sasl.mechanism").or_else(|| settings.take("sasl.mechanisms"));
    let jaas = settings.take("sasl.jaas.config");
    for key in CALLBACKS {
        settings.take(key);
    }
    if !used {
        return;
    }
    let name = mechanism.as_ref().map_or("GSSAPI", Setting::text).to_ascii_uppercase();
    let module = match name.as_str() {
        "PLAIN" => "PlainLoginModule",
        "SCRAM-SHA-256" | "SCRAM-SHA-512" => "ScramLoginModule",
        _ => return translation.problems.push(unsupported(&name, mechanism.as_ref(), jaas.as_ref().or(protocol))),
    };
    match &mechanism {
        Some(mechanism) => translation.set_from("sasl.mechanisms", name.as_str(), ("sasl.mechanism", mechanism)),
        None => translation.set("sasl.mechanisms", name.as_str()),
    }
    let Some(jaas) = jaas else {
        // librdkafka's own keys do as well; they are passed through.
        let is_set = |key: &str| settings.text(key).is_some_and(|text| !text.is_empty());
        if !is_set("sasl.username") || !is_set("sasl.password") {
            let message = |written_as: &str| {
                let jaas = written_as.replace("sasl.mechanism", "sasl.jaas.config");
                format!("sasl.mechanism {name} needs a user and a password: set {jaas}")
            };
            // Only what is written is none of the defaults.
            if let Some(mechanism) = mechanism {
                translation.problems.push(mechanism.remark("sasl.mechanism", message));
            }
        }
        return;
    };
    match credentials(&jaas, module) {
        Ok((username, password)) => {
            translation.set_from("sasl.username", username, ("sasl.jaas.config", &jaas));
            translation.set_from("sasl.password", password, ("sasl.jaas.config", &jaas));
        }
        Err(reason) => translation.problems.push(jaas.refuse("sasl.jaas.config", reason)),
    }
}

fn credentials(jaas: &Setting, module: &str) -> Result<(String, String), String> {
    let jaas = Jaas::parse(jaas.text())?;
    if jaas.module() != module {
        return Err(format!("the mechanism needs the login module {module}"));
    }
    if jaas.option("tokenauth").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err("delegation tokens (tokenauth) are not supported".to_owned());
    }
    let option = |name: &str| match jaas.option(name) {
        Some("") => Err(format!("the option {name}=\"…\" is empty")),
        Some(value) => Ok(value.to_owned()),
        None => Err(format!("the option {name}=\"…\" is missing")),
    };
    Ok((option("username")?, option("password")?))
}

fn unsupported(name: &str, mechanism: Option<&Setting>, jaas: Option<&Setting>) -> connect_api::config::Problem {
    let instead = match name {
        "AWS_MSK_IAM" => {
            "signing in to MSK with IAM is not supported yet: use the cluster's SASL/SCRAM listener (port 9096, SCRAM-SHA-512) or its TLS \
             listener (port 9094)"
        }
        "OAUTHBEARER" => "OAUTHBEARER is not supported yet: use SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN",
        "GSSAPI" => "Kerberos (GSSAPI, the default of sasl.mechanism) is not supported: use SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN",
        _ => "must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
    };
    match (mechanism, jaas) {
        (Some(mechanism), _) => mechanism.refuse("sasl.mechanism", instead),
        (None, Some(jaas)) => jaas.remark("sasl.jaas.config", |written_as| format!("{written_as}: {instead}")),
        (None, None) => connect_api::config::Problem::of_key("sasl.mechanism", instead),
    }
}

/// Java's keys that choose implementations within the JVM.
const JVM: [&str; 9] = [
    "ssl.protocol",
    "ssl.enabled.protocols",
    "ssl.provider",
    "ssl.keymanager.algorithm",
    "ssl.trustmanager.algorithm",
    "ssl.secure.random.implementation",
    "ssl.engine.factory.class",
    "ssl.truststore.password",
    "security.providers",
];

fn encryption(settings: &mut Settings, used: bool, translation: &mut Translation) {
    for key in JVM {
        settings.take(key);
    }
    if let Some(algorithm) = settings.take("ssl.endpoint.identification.algorithm") {
        let name = if algorithm.text().is_empty() { "none" } else { algorithm.text() };
        let java = "ssl.endpoint.identification.algorithm";
        translation.set_from(java, name.to_ascii_lowercase(), (java, &algorithm));
    }
    if let Some(suites) = settings.take("ssl.cipher.suites").filter(|suites| !suites.text().is_empty()) {
        let message = |key: &str| format!("{key} changes nothing here: Java's names of cipher suites are not OpenSSL's");
        translation.warnings.push(suites.remark("ssl.cipher.suites", message));
    }
    trust(settings, used, translation);
    identity(settings, used, translation);
}

fn trust(settings: &mut Settings, used: bool, translation: &mut Translation) {
    let kind = settings.take("ssl.truststore.type");
    let location = settings.take("ssl.truststore.location");
    if let Some(certificates) = settings.take("ssl.truststore.certificates") {
        translation.set_from("ssl.ca.pem", certificates.text(), ("ssl.truststore.certificates", &certificates));
    } else if let Some(location) = location {
        if is_pem(kind.as_ref(), &location) {
            translation.set_from("ssl.ca.location", location.text(), ("ssl.truststore.location", &location));
        } else if used {
            translation.problems.push(location.refuse("ssl.truststore.location", JKS_TRUSTSTORE));
        }
    } else if used && settings.text("ssl.ca.location").is_none() && settings.text("ssl.ca.pem").is_none() {
        // As on the JVM, the authorities that the system trusts; a statically linked OpenSSL has to be told to look for them.
        translation.set("ssl.ca.location", "probe");
    }
}

const JKS_TRUSTSTORE: &str = "only PEM trust stores can be read: convert it with `keytool -exportcert -rfc -keystore STORE -alias ALIAS -file ca.pem` \
                              and set ssl.truststore.type=PEM, or leave it out where the system trusts the authority";
const JKS_KEYSTORE: &str = "only PEM and PKCS12 key stores can be read: convert it with `keytool -importkeystore -srckeystore STORE \
                            -destkeystore client.p12 -deststoretype PKCS12` and set ssl.keystore.type=PKCS12";

const KEYSTORE: &str = "ssl.keystore.location";

fn identity(settings: &mut Settings, used: bool, translation: &mut Translation) {
    let kind = settings.take("ssl.keystore.type");
    let password = settings.take("ssl.keystore.password");
    if let Some(chain) = settings.take("ssl.keystore.certificate.chain") {
        translation.set_from("ssl.certificate.pem", chain.text(), ("ssl.keystore.certificate.chain", &chain));
    }
    if let Some(key) = settings.take("ssl.keystore.key") {
        translation.set_from("ssl.key.pem", key.text(), ("ssl.keystore.key", &key));
    }
    let Some(location) = settings.take(KEYSTORE) else { return };
    if is_pem(kind.as_ref(), &location) {
        translation.set_from("ssl.certificate.location", location.text(), (KEYSTORE, &location));
        translation.set_from("ssl.key.location", location.text(), (KEYSTORE, &location));
    } else if kind.as_ref().is_some_and(|kind| kind.text().eq_ignore_ascii_case("PKCS12")) || location.text().ends_with(".p12") {
        translation.set_from(KEYSTORE, location.text(), (KEYSTORE, &location));
        if let Some(password) = password {
            translation.set_from("ssl.keystore.password", password.text(), ("ssl.keystore.password", &password));
        }
    } else if used {
        translation.problems.push(location.refuse(KEYSTORE, JKS_KEYSTORE));
    }
}

/// As its type says, or, where none is given, as its name says.
fn is_pem(kind: Option<&Setting>, location: &Setting) -> bool {
    match kind {
        Some(kind) => kind.text().eq_ignore_ascii_case("PEM"),
        None => [".pem", ".crt", ".cer"].iter().any(|extension| location.text().to_ascii_lowercase().ends_with(extension)),
    }
}
