#include "support/certificates.hpp"

#include <vector>

#include "support/process.hpp"

namespace postrider::support {
namespace {

// A configuration of its own: the distribution's default one adds extensions that may come out twice.
std::string extensions(const std::string& server_name) {
    const std::string address = server_name == "localhost" ? ",IP:127.0.0.1" : "";
    return "[req]\ndistinguished_name = name\nprompt = no\n[name]\n"
           "[authority]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n"
           "subjectKeyIdentifier = hash\n"
           "[client]\nbasicConstraints = critical,CA:FALSE\nextendedKeyUsage = clientAuth\n"
           "[server]\nbasicConstraints = critical,CA:FALSE\nextendedKeyUsage = serverAuth\n"
           "subjectAltName = DNS:" +
           server_name + address + "\n";
}

void make(const std::string& section, const std::string& configuration, const std::string& name,
          const std::string& key, const std::string& out, const std::vector<std::string>& further) {
    process::settings openssl;
    openssl.arguments = {"openssl",
                         "req",
                         "-x509",
                         "-newkey",
                         "ec",
                         "-pkeyopt",
                         "ec_paramgen_curve:prime256v1",
                         "-nodes",
                         "-days",
                         "30",
                         "-config",
                         configuration,
                         "-extensions",
                         section,
                         "-subj",
                         "/CN=" + name,
                         "-keyout",
                         key,
                         "-out",
                         out};
    openssl.arguments.insert(openssl.arguments.end(), further.begin(), further.end());
    run_program(std::move(openssl));
}

}  // namespace

certificates::certificates(const temporary_folder& folder, const std::string& server_name)
    : ca(folder.path() + "/ca.crt"),
      cert(folder.path() + "/server.crt"),
      key(folder.path() + "/server.key"),
      folder_(folder.path()) {
    const std::string configuration = folder.write("openssl.cnf", extensions(server_name));
    make("authority", configuration, "Postrider test authority", folder_ + "/ca.key", ca, {});
    make("server", configuration, server_name, key, cert, {"-CA", ca, "-CAkey", folder_ + "/ca.key"});
}

certificates::client certificates::make_client() const {
    const client made{folder_ + "/client.crt", folder_ + "/client.key"};
    make("client", folder_ + "/openssl.cnf", "client", made.key, made.cert,
         {"-CA", ca, "-CAkey", folder_ + "/ca.key"});
    return made;
}

}  // namespace postrider::support
