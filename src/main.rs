//! x
fn main() {
    #[allow(clippy::print_stdout)]
    {
        println!("{}", lc_connections::graphql::schema::sdl());
    }
}
