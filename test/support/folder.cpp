#include "support/folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace postrider::support {

temporary_folder::temporary_folder(place where) {
    // Not TMPDIR: it may be too long for a Unix socket, or closed to the unprivileged account.
    const bool in_memory = where == place::memory && ::access("/dev/shm", W_OK) == 0;
    path_ = in_memory ? "/dev/shm/postrider-XXXXXX" : "/tmp/postrider-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr || chmod(path_.c_str(), 0755) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot make " + path_);
    }
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;  // what is left there must not hide how the test itself ended
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::write(const std::string& name, const std::string& text) const {
    std::string file = path_ + "/" + name;
    if (std::ofstream out(file); !(out << text) || !out.flush()) {
        throw std::runtime_error("cannot write " + file);
    }
    return file;
}

}  // namespace postrider::support
