#include "redis/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace postrider::redis {
namespace {

core::failure failed(std::string words) {
    return {core::errc::tls, "TLS: " + std::move(words)};
}

core::failure unreadable(const char* what, const std::string& file, const error_code& e) {
    return failed("cannot use the " + std::string(what) + " file '" + file + "': " + e.message() +
                  "; it must be a readable PEM file");
}

bool is_address(const std::string& name) {
    error_code not_an_address;
    asio::ip::make_address(name, not_an_address);
    return !not_an_address;
}

core::result<void> trust(asio::ssl::context& context, const options& o) {
    error_code e;
    if (o.ca_file.empty()) {
        context.set_default_verify_paths(e);
        if (e) return failed("the system's certificate authorities cannot be read: " + e.message());
        return core::result<void>();
    }
    context.load_verify_file(o.ca_file, e);
    if (e) return unreadable("certificate authority (REDIS_SSL_CA_CERTS, ssl_ca_certs)", o.ca_file, e);
    return core::result<void>();
}

core::result<void> identify(asio::ssl::context& context, const options& o) {
    if (o.cert_file.empty()) return core::result<void>();
    error_code e;
    context.use_certificate_chain_file(o.cert_file, e);
    if (e) return unreadable("client certificate (ssl_certfile)", o.cert_file, e);
    context.use_private_key_file(o.key_file, asio::ssl::context::pem, e);
    if (e) return unreadable("client key (ssl_keyfile)", o.key_file, e);
    return core::result<void>();
}

std::string address_text(const ASN1_OCTET_STRING* address) {
    const auto* bytes = ASN1_STRING_get0_data(address);
    if (ASN1_STRING_length(address) == 4) {
        asio::ip::address_v4::bytes_type v4{};
        std::copy_n(bytes, v4.size(), v4.begin());
        return asio::ip::make_address_v4(v4).to_string();
    }
    if (ASN1_STRING_length(address) != 16) return "?";
    asio::ip::address_v6::bytes_type v6{};
    std::copy_n(bytes, v6.size(), v6.begin());
    return asio::ip::make_address_v6(v6).to_string();
}

// Printable ASCII alone: the certificate comes from a peer that is not trusted yet.
std::string dns_text(const ASN1_IA5STRING* name) {
    constexpr std::size_t longest = 100;
    std::string text;
    const auto* bytes = ASN1_STRING_get0_data(name);
    for (int i = 0; i < ASN1_STRING_length(name) && text.size() < longest; ++i)
        text += bytes[i] > ' ' && bytes[i] < 127 ? static_cast<char>(bytes[i]) : '?';
    return text;
}

// The names a certificate is for (subjectAltName), the first few of them.
std::string names_in(X509* certificate) {
    constexpr int shown = 5;
    struct release {
        void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
    };
    const std::unique_ptr<GENERAL_NAMES, release> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::string list;
    const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
    for (int i = 0; i < count && i < shown; ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
        if (!list.empty()) list += ", ";
        list += name->type == GEN_DNS ? dns_text(name->d.dNSName) : address_text(name->d.iPAddress);
    }
    if (count > shown) list += " …";
    return list;
}

}  // namespace

core::result<std::unique_ptr<tls>> tls::make(stream_socket& socket, const options& o) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1);
    if (o.verify == verification::required) {
        if (auto trusted = trust(context, o); !trusted) return trusted.error();
    }
    if (auto identified = identify(context, o); !identified) return identified.error();
    const std::string& name = o.server_name.empty() ? o.host : o.server_name;
    std::unique_ptr<tls> made(new tls(std::move(context), socket, name, o.ca_file));
    made->expect_peer(o.verify);
    return made;
}

tls::tls(asio::ssl::context context, stream_socket& socket, std::string name, std::string ca_file)
    : context_(std::move(context)),
      stream_(socket, context_),
      name_(std::move(name)),
      ca_file_(std::move(ca_file)) {}

void tls::expect_peer(verification v) {
    SSL* ssl = stream_.native_handle();
    const bool address = is_address(name_);
    // RFC 6066, section 3: SNI takes no addresses. SSL_set_tlsext_host_name is this call behind a C cast.
    if (!address) SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name_.data());
    error_code ignored;
    if (v == verification::none) {
        stream_.set_verify_mode(asio::ssl::verify_none, ignored);
        return;
    }
    if (address) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name_.c_str());
    } else {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(ssl, name_.c_str());
    }
    stream_.set_verify_mode(asio::ssl::verify_peer, ignored);
    stream_.set_verify_callback(
        [this](bool good, asio::ssl::verify_context& found) {
            if (good) return true;
            verify_error_ = X509_STORE_CTX_get_error(found.native_handle());
            if (X509* peer = X509_STORE_CTX_get0_cert(found.native_handle())) names_found_ = names_in(peer);
            return false;
        },
        ignored);
}

core::failure tls::explain(const error_code& e) {
    const std::string mend_ca =
        ca_file_.empty() ? "set REDIS_SSL_CA_CERTS (or ssl_ca_certs in the URL) to the PEM file of "
                           "the authority that signed it"
                         : "'" + ca_file_ + "' does not hold the authority that signed it";
    switch (verify_error_) {
        case X509_V_OK:
            break;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return failed("the certificate is not for '" + name_ + "' but for " +
                          (names_found_.empty() ? "no host at all" : names_found_) +
                          "; use a name it holds in REDIS_URL");
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return failed("the certificate of '" + name_ + "' comes from an unknown authority (" +
                          X509_verify_cert_error_string(verify_error_) + "); " + mend_ca);
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return failed("the certificate of '" + name_ + "' has expired; renew it on the server");
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return failed("the certificate of '" + name_ +
                          "' is not valid yet; is this machine's clock right?");
        default:
            return failed("the certificate of '" + name_ +
                          "' was refused: " + X509_verify_cert_error_string(verify_error_));
    }
    if (e.category() == asio::error::get_ssl_category() &&
        ERR_GET_REASON(static_cast<unsigned long>(e.value())) == SSL_R_WRONG_VERSION_NUMBER)
        return failed(
            "the server does not speak TLS on this port; use its TLS port, or redis:// without TLS");
    if (e == asio::ssl::error::stream_truncated || e == asio::error::eof ||
        e == asio::error::connection_reset)
        return failed(
            "the server closed the connection during the handshake; does it speak TLS on this port, "
            "and does it ask for a client certificate (ssl_certfile)?");
    return failed("the handshake failed: " + e.message());
}

}  // namespace postrider::redis
